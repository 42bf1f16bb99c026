"""The simulated power cut takes what a real one may take, and no more."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.torture.power import Power


def images(root: Path, power: Power, count: int = 40) -> list[dict[str, bytes]]:
    found = []
    for number in range(count):
        target = root.with_name(f"image {number}")
        power.image(target)
        found.append({path.name: path.read_bytes() for path in target.iterdir()})
    return found


def test_a_renamed_file_has_one_of_its_names(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "1.open").write_bytes(b"acknowledged")
    power = Power(root, random.Random(1))
    (root / "1.open").rename(root / "1.sealed")
    found = images(root, power)
    assert {tuple(each) for each in found} == {("1.open",), ("1.sealed",)}
    assert {content for each in found for content in each.values()} == {b"acknowledged"}


def test_what_was_not_synced_may_be_lost_and_what_was_is_there(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    power = Power(root, random.Random(1))
    with (root / "synced").open("wb") as file:
        file.write(b"kept")
        file.flush()
        power.sync(file.fileno())
        file.write(b" and more")
        file.flush()
    directory = os.open(root, os.O_RDONLY)
    power.sync(directory)
    os.close(directory)
    (root / "new").write_bytes(b"new")
    found = images(root, power)
    assert all(each["synced"][:4] == b"kept" for each in found)
    assert {len(each["synced"]) for each in found} > {4, 13}
    assert {"new" in each for each in found} == {True, False}
