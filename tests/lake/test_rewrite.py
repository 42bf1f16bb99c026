"""Rewrites of one table at the same time: whatever their order, no row is lost and none is doubled."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import errno
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import Transaction
from deltalake.transaction import AddAction

from expost.lake.part import LiveFile, PartWriter, read_groups, write_part
from expost.lake.rewrite import rewrite
from expost.lake.table import Table

SCHEMA = pa.schema([("number", pa.int64()), ("site", pa.string())])


def rows(*numbers: int) -> pa.Table:
    return pa.table({"number": numbers, "site": ["shop"] * len(numbers)}, SCHEMA)


def numbers(table: Table) -> list[int]:
    table.refresh()
    return sorted(number for part in table.read(["number"]) for number in part["number"].to_pylist())


def is_odd(rows: pa.Table) -> pa.ChunkedArray:
    return pc.equal(pc.bit_wise_and(rows["number"], 1), 1)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path / "numbers", SCHEMA)
    for number in range(4):
        made.append(rows(2 * number, 2 * number + 1), "journal", number)
    return made


def test_rows_that_are_due_go_and_files_without_one_stay(table: Table) -> None:
    table.append(rows(100), "journal", 4)
    before = {file.name for file in table.files()}
    assert rewrite(table, ["number"], is_odd, Transaction("erase", 7)) == 4
    assert numbers(table) == [0, 2, 4, 6, 100]
    assert len(before & {file.name for file in table.files()}) == 1
    assert table.committed("erase") == 7


def test_rows_are_changed_in_their_places(table: Table) -> None:
    def negate(rows: pa.Table, due: pa.ChunkedArray) -> pa.Table:
        changed = pc.if_else(due, pc.negate(rows["number"]), rows["number"])
        return rows.set_column(0, SCHEMA.field(0), changed)

    assert rewrite(table, ["number"], is_odd, change=negate) == 4
    assert numbers(table) == [-7, -5, -3, -1, 0, 2, 4, 6]


def test_one_that_cannot_go_on_leaves_none_of_its_files_behind(table: Table) -> None:
    before = sorted(path.name for path in table.path.glob("*.parquet"))
    changed = itertools.count()

    def fill_the_disk(rows: pa.Table, due: pa.ChunkedArray) -> pa.Table:
        if next(changed) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rows

    with pytest.raises(OSError, match="No space left"):
        rewrite(table, ["number"], is_odd, change=fill_the_disk)
    assert sorted(path.name for path in table.path.glob("*.parquet")) == before


def test_a_file_of_which_nothing_is_left_has_none_in_its_place(table: Table) -> None:
    assert rewrite(table, ["number"], lambda rows: pc.less(rows["number"], 4)) == 4
    assert sorted(file.rows for file in table.files()) == [2, 2]
    assert table.vacuum(grace_seconds=0) == 2
    assert len(list(table.path.glob("*.parquet"))) == 2


def test_one_that_was_overtaken_begins_anew(table: Table) -> None:
    other = Table(table.path, SCHEMA)
    eight_and_nine = rows(8, 9)
    moments = itertools.count()

    def is_odd_while_another_is_quicker(rows: pa.Table) -> pa.ChunkedArray:
        if next(moments) == 5:
            rewrite(other, ["number"], lambda rows: pc.equal(rows["number"], 2))
            other.append(eight_and_nine, "journal", 4)
        return is_odd(rows)

    assert rewrite(table, ["number"], is_odd_while_another_is_quicker) == 5
    assert numbers(table) == [0, 4, 6, 8]
    assert {file.name for file in table.files()} <= {path.name for path in table.path.glob("*.parquet")}


def test_files_in_the_making_are_not_taken_for_waste(table: Table) -> None:
    with table.writing():
        add = write_part(table.path, rows(50), data_change=True)
        os.utime(table.path / add.path, (0, 0))
        assert Table(table.path, SCHEMA).vacuum() == 0
    assert table.vacuum() == 1


def test_readers_have_an_hour_from_the_removal_on_however_old_the_file_is(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in table.files():
        os.utime(table.path / file.name, (0, 0))
    rewrite(table, ["number"], is_odd)
    assert table.vacuum() == 0
    later = time.time() + 3_601
    monkeypatch.setattr("expost.lake.table.time.time", lambda: later)
    assert table.vacuum() == 4


def test_row_groups_keep_their_size_and_the_log_tells_the_range_of_a_site(tmp_path: Path) -> None:
    table = Table(tmp_path, SCHEMA)
    writer = PartWriter(tmp_path, SCHEMA, "sorted")
    for start in range(0, 150_000, 1_000):
        many = range(start, start + 1_000)
        writer.write(pa.table({"number": many, "site": [f"shop-{start}"] * 1_000}, SCHEMA))
    add = writer.finish(data_change=False)
    assert [len(group) for group in read_groups(tmp_path / add.path, ["number"], SCHEMA)] == [
        64_000, 64_000, 22_000,
    ]  # fmt: skip
    assert table.replace([], [add], data_change=True)
    [file] = table.files()
    assert (file.kind, file.rows, file.least, file.greatest) == (
        "sorted", 150_000, {"site": "shop-0"}, {"site": "shop-99000"},
    )  # fmt: skip


@dataclass
class Rewriter:
    """One of several that rewrite the same table, and what it has under way."""

    table: Table
    removed: list[LiveFile] = field(default_factory=list)
    added: list[AddAction] = field(default_factory=list)
    won: int = 0
    lost: int = 0

    def begin(self, chance: random.Random) -> None:
        """Merge some files, as they were when this one last looked."""
        files = self.table.files()
        self.removed = chance.sample(files, chance.randint(1, len(files)))
        parts = [
            part
            for file in self.removed
            for part in read_groups(self.table.path / file.name, SCHEMA.names, SCHEMA)
        ]
        self.added = [write_part(self.table.path, pa.concat_tables(parts), data_change=False)]

    def end(self) -> None:
        if self.table.replace(self.removed, self.added, data_change=False):
            self.won += 1
        else:
            self.lost += 1
        self.removed, self.added = [], []


@pytest.mark.parametrize("seed", range(2))
def test_a_thousand_steps_of_three_at_once_lose_and_double_nothing(
    table: Table, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The order of commits is looked at here, and not whether they outlive the power.
    monkeypatch.setattr("expost.lake.table.sync", lambda path: None)
    monkeypatch.setattr("expost.lake.part.sync", lambda path: None)
    chance = random.Random(seed)
    rewriters = [Rewriter(Table(table.path, SCHEMA)) for _ in range(3)]
    model = Counter(numbers(table))
    for step in range(500):
        if chance.random() < 0.15:
            table.append(rows(1_000 + step), "journal", 10 + step)
            model[1_000 + step] += 1
        else:
            rewriter = chance.choice(rewriters)
            if rewriter.removed:
                rewriter.end()
            else:
                rewriter.begin(chance)
        if step % 50 == 49:
            assert Counter(numbers(table)) == model, step
    won, lost = (sum(getattr(each, name) for each in rewriters) for name in ("won", "lost"))
    assert won > 50, won
    assert lost > 50, lost


@pytest.mark.parametrize("act", [lambda table: table.tend(), lambda table: table.vacuum(0)])
def test_another_process_deletes_none_of_what_is_live(table: Table, act: Callable[[Table], object]) -> None:
    # This one has not heard of the rewrite.
    late = Table(table.path, SCHEMA)
    rewrite(table, ["number"], is_odd)
    later = time.time() + 3_601
    for path in table.path.glob("*.parquet"):
        os.utime(path, (0, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expost.lake.table.time.time", lambda: later)
        act(late)
    assert len(list(table.path.glob("*.parquet"))) == 4
    assert numbers(late) == [0, 2, 4, 6]
