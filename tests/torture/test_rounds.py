"""A few of the lives that `make torture` runs by the thousand."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "ends",
    [
        ("kills", 12),
        ("cuts", 6),
        ("faults", 3),
        ("flips", 2),
        ("corrupt", 3),
        ("replays", 4),
        ("erasures", 1),
    ],
    ids=lambda ends: ends[0],
)
def test_however_a_life_ends_nothing_is_lost_and_nothing_doubled(ends: tuple[str, int], tmp_path) -> None:
    kind, lives = ends
    # A process of its own: it forks, which a process with threads must not.
    command = [
        sys.executable,
        "-m",
        "tests.torture.rounds",
        "--json",
        "--dir",
        str(tmp_path),
        f"--{kind}",
        str(lives),
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for row in json.loads(ended.stdout):
        assert (row["lost"], row["doubled"], row["never_sent"]) == (0, 0, 0), row
        assert row["acknowledged"] > 0 or kind == "erasures", row
