"""The set of event ids that the lake already holds."""

from __future__ import annotations

import os
import tracemalloc
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.lake.id_files import open_ids, write_ids
from expost.lake.moment import DAY
from expost.lake.schema import TABLES
from expost.lake.seen import Hashes, SeenIds
from expost.lake.table import Table
from tests.story import Story, moment, view

SECRET = bytes([1]) * 32
NOW = moment("2026-03-06 00:00")


def set_of(secret: int = 1) -> SeenIds:
    return SeenIds(bytes([secret]) * 32)


@given(groups=st.lists(st.lists(st.integers(0, 60), max_size=12), max_size=12))
def test_it_answers_as_a_set_does(groups: list[list[int]]) -> None:
    seen, model = set_of(), set[int]()
    for day, group in enumerate(groups):
        expected = []
        fresh = set(model)
        for number in group:
            expected.append(number not in fresh)
            fresh.add(number)
        hashes = seen.hashes([str(uuid.UUID(int=number)) for number in group])
        new = seen.are_new(hashes)
        assert new.tolist() == expected
        seen.add(hashes[new], day % 3 * DAY)
        model = fresh
    assert len(seen) == len(model)


def test_ids_are_the_same_in_capitals_and_differ_between_installations() -> None:
    name = "019a0000-ABCD-7000-8000-00000000abcd"
    assert set_of().hashes([name]) == set_of().hashes([name.lower()])
    assert set_of().hashes([name]) != set_of(2).hashes([name])


def test_ids_that_differ_in_one_bit_have_hashes_that_differ() -> None:
    names = [str(uuid.UUID(int=1 << bit)) for bit in range(128)]
    assert len(np.unique(set_of().hashes(names))) == 128


def test_many_small_additions_become_few_arrays() -> None:
    seen = set_of()
    for number in range(500):
        seen.add(seen.hashes([str(uuid.UUID(int=number))]), 0)
    assert len(seen) == 500
    assert len(seen._days[0].arrays) <= 10


def test_a_day_is_dropped_when_all_of_it_is_a_week_old() -> None:
    seen = set_of()
    seen.add(seen.hashes([str(uuid.UUID(int=1))]), 10 * DAY)
    seen.forget(17 * DAY + DAY // 2)
    assert len(seen) == 1
    seen.forget(18 * DAY)
    assert len(seen) == 0


def table_of(lake: Story) -> Table:
    lake.store()
    return Table(lake.folder.lake / "events", TABLES["events"])


def told(lake: Story, count: int = 40) -> list[str]:
    """Events of four days; gives their ids."""
    for number in range(count):
        lake.capture("ann", view("/"), at=f"2026-03-{2 + number % 4:02} 10:{number:02}")
    lake.store()
    return [event_id for (event_id,) in lake.sql("select event_id from events")]


def test_after_a_restart_files_and_lake_together_hold_all(lake: Story, tmp_path: Path) -> None:
    told(lake)
    seen = SeenIds(SECRET, tmp_path / "seen")
    seen.load(table_of(lake), NOW)
    seen.spill(table_of(lake), at_least=1)
    assert seen._in_memory() == 0
    lake.capture("bob", view("/"), at="2026-03-05 20:00")
    lake.store()
    again = SeenIds(SECRET, tmp_path / "seen")
    again.load(table_of(lake), NOW)
    assert len(again) == 41
    assert again._in_memory() == 1
    ids = [event_id for (event_id,) in lake.sql("select event_id from events")]
    assert not again.are_new(again.hashes(ids)).any()
    assert again.are_new(again.hashes([str(uuid.UUID(int=1))])).all()


def test_only_the_last_day_before_the_files_is_read_from_the_lake(
    lake: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(lake)
    seen = SeenIds(SECRET, tmp_path / "seen")
    seen.load(table_of(lake), NOW)
    seen.spill(table_of(lake), at_least=1)
    again = SeenIds(SECRET, tmp_path / "seen")
    hashed: list[str] = []
    hashes = SeenIds.hashes

    def counting(self: SeenIds, event_ids: Sequence[str]) -> Hashes:
        hashed.extend(event_ids)
        return hashes(self, event_ids)

    monkeypatch.setattr(SeenIds, "hashes", counting)
    again.load(table_of(lake), NOW)
    assert 10 <= len(hashed) <= 20


@pytest.mark.parametrize("damage", ["manifest", "file", "cut off", "empty", "other lake"])
def test_files_that_are_damaged_or_of_another_lake_are_made_anew(
    lake: Story, tmp_path: Path, damage: str
) -> None:
    told(lake)
    folder = tmp_path / "seen"
    seen = SeenIds(SECRET, folder)
    seen.load(table_of(lake), NOW)
    seen.spill(table_of(lake), at_least=1)
    if damage == "manifest":
        (folder / "manifest.json").write_bytes(b"{")
    elif damage == "file":
        next(iter(folder.glob("*.ids"))).unlink()
    elif damage in ("cut off", "empty"):
        os.truncate(next(iter(folder.glob("*.ids"))), 9 if damage == "cut off" else 0)
    else:
        lake = Story(tmp_path / "other")
        told(lake, 12)
    again = SeenIds(SECRET, folder)
    again.load(table_of(lake), NOW)
    assert again._in_memory() == len(again) == (12 if damage == "other lake" else 40)


@given(groups=st.lists(st.lists(st.integers(0, 200), max_size=30), max_size=10))
@settings(max_examples=25, deadline=None)
def test_files_answer_as_memory_does(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[int]]
) -> None:
    path = tmp_path_factory.mktemp("seen")
    table = Table(path / "events", TABLES["events"])
    seen, model = SeenIds(SECRET, path / "seen"), set_of()
    for day, group in enumerate(groups):
        hashes = seen.hashes([str(uuid.UUID(int=number)) for number in group])
        new = seen.are_new(hashes)
        assert new.tolist() == model.are_new(hashes).tolist()
        for each in (seen, model):
            each.add(hashes[new], day % 3 * DAY)
        seen.spill(table, at_least=8)
        assert len(seen) == len(model)
    assert len(list((path / "seen").glob("*.ids"))) <= 12
    seen.forget(30 * DAY)
    seen.add(seen.hashes([str(uuid.UUID(int=7))]), 30 * DAY)
    seen.spill(table, at_least=1)
    assert len(list((path / "seen").glob("*.ids"))) == 1


def test_merged_files_hold_what_theirs_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expost.lake.id_files.PIECE", 10)
    numbers = np.random.default_rng(1).integers(0, 2**64, 500, np.uint64, endpoint=False)
    runs = [np.sort(numbers[:200]), np.sort(numbers[200:])]
    written = open_ids(write_ids(tmp_path, runs))
    assert np.array_equal(written, np.sort(numbers))


def test_of_what_is_merged_a_piece_is_in_memory_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.lake.id_files.PIECE", 10_000)
    numbers = np.random.default_rng(1).integers(0, 2**64, 400_000, np.uint64, endpoint=False)
    files = [open_ids(write_ids(tmp_path, [np.sort(half)])) for half in np.split(numbers, 2)]
    tracemalloc.start()
    try:
        written = write_ids(tmp_path, files)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Of eight bytes each, in some more than so many, and once more what the sort puts aside.
    assert peak < 2 * 8 * 1.2 * 10_000
    assert np.array_equal(open_ids(written), np.sort(numbers))
