"""The folders, the links and the lists in pyproject.toml say the same."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
NOT_SHIPPED = {"tests", "bench", "docs"}


def folders_with_python() -> set[Path]:
    """Every folder that holds modules of the package, by its real path."""
    found = {
        file.parent.relative_to(ROOT)
        for top in ROOT.iterdir()
        if top.is_dir() and not top.name.startswith(".") and top.name not in NOT_SHIPPED
        for file in top.rglob("__init__.py")
        if "node_modules" not in file.parts
    }
    return {
        folder
        for folder in found
        if folder.parts[0] not in {"build", "dist"} and not is_behind_a_link(folder)
    }


def is_behind_a_link(folder: Path) -> bool:
    return any((ROOT / part).is_symlink() for part in (folder, *folder.parents))


def package_of(folder: Path) -> str:
    return "expost" if folder == Path("expost") else ".".join(("expost", *folder.parts))


def test_every_folder_with_python_is_a_package():
    assert {package_of(folder) for folder in folders_with_python()} == set(SETUPTOOLS["packages"])


def test_every_top_level_folder_is_mapped_and_linked():
    for folder in folders_with_python() - {Path("expost")}:
        if len(folder.parts) == 1:
            assert SETUPTOOLS["package-dir"][package_of(folder)] == str(folder)
            assert (ROOT / "expost" / folder).readlink() == Path("..") / folder
            assert str(folder) in PYPROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
            assert f"expost/{folder}" in PYPROJECT["tool"]["pyright"]["include"] or folder == Path("snippet")


def test_the_npm_package_carries_the_licence_and_a_readme_whose_links_stay_inside():
    assert (ROOT / "snippet" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    for name in ("README.md", "wire.md"):
        assert "](../" not in (ROOT / "snippet" / name).read_text(), name


def test_a_folder_has_one_import_name():
    lake = importlib.import_module("expost.lake")
    assert lake.__name__ == "expost.lake"
    assert Path(str(lake.__file__)).resolve() == ROOT / "lake" / "__init__.py"


def test_every_file_beside_the_modules_is_shipped():
    for folder in folders_with_python() - {Path("expost"), Path("snippet")}:
        patterns = SETUPTOOLS["package-data"].get(package_of(folder), [])
        shipped = {
            file
            for pattern in patterns
            for file in (ROOT / folder).glob(f"{pattern}/*" if pattern.endswith("**") else pattern)
        }
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and file.suffix not in {".py", ".pyc"} and file.parent.name != "__pycache__":
                assert file in shipped, (
                    f"{file.relative_to(ROOT)} is in no line of [tool.setuptools.package-data]"
                )
