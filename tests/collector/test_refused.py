"""What is refused stays in bounds: seven days, and a cap for each site that counts the sink's files as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from expost.collector.masks import Masks
from expost.collector.refused import RefusedLog
from expost.collector.tally import Tally
from expost.collector.wire import Refused
from expost.lake.rejected import Rejected, keep_rejected
from expost.settings import Settings

DAY = 86_400_000_000
NOW = 20_000 * DAY
CAP = 40_000


@pytest.fixture
def refused(tmp_path: Path) -> RefusedLog:
    return RefusedLog(tmp_path, Masks(), CAP, Tally())


def keep(refused: RefusedLog, text: str, at: int = NOW, site: str = "shop") -> None:
    refused.keep(site, at, [Refused("id", "why", text.encode())])


def texts(folder: Path, site: str = "shop") -> list[str]:
    files = sorted(folder.glob(f"{site}.*.ndjson"))
    return [json.loads(line)["content"] for file in files for line in file.read_text().splitlines()]


def test_beyond_the_cap_the_oldest_go_and_other_sites_stay(tmp_path: Path, refused: RefusedLog) -> None:
    keep(refused, "other", site="blog")
    for number in range(100):
        keep(refused, f"{number} " + "x " * 500)
    kept = [int(text.split()[0]) for text in texts(tmp_path)]
    assert kept == list(range(kept[0], 100))
    assert sum(path.stat().st_size for path in tmp_path.glob("shop.*")) <= CAP
    assert texts(tmp_path, "blog") == ["other"]


def test_a_site_may_have_256_mb_and_what_goes_before_its_time_is_counted(tmp_path: Path) -> None:
    tally = Tally()
    refused = RefusedLog(tmp_path, Masks(), CAP, tally)
    files = set()
    for number in range(100):
        keep(refused, f"{number} " + "x " * 500)
        files |= set(tmp_path.iterdir())
    assert tally.dropped_files == len(files) - len(list(tmp_path.iterdir())) > 0
    assert Settings().max_rejected_bytes == 256_000_000


def test_what_the_sink_rejected_counts_for_the_cap(tmp_path: Path, refused: RefusedLog) -> None:
    for segment in range(20):
        keep_rejected(tmp_path, NOW - DAY, segment, [Rejected("why", "shop", NOW, b"y" * 5_000)])
    refused.make_room(NOW)
    left = sorted(tmp_path.glob("shop.*"))
    assert sum(path.stat().st_size for path in left) <= CAP
    assert left[-1].name.endswith(f"{19:020}.ndjson")


def test_after_seven_days_they_go_without_any_new_ones(tmp_path: Path, refused: RefusedLog) -> None:
    keep(refused, "quiet since then", at=NOW - 9 * DAY, site="blog")
    keep(refused, "old", at=NOW - 9 * DAY)
    keep_rejected(tmp_path, NOW - 9 * DAY, 1, [Rejected("why", "", 0, b"no frame")])
    keep(refused, "new", at=NOW)
    refused.make_room(NOW)
    assert [path.name.split(".")[0] for path in tmp_path.iterdir()] == ["shop"]
    assert texts(tmp_path) == ["new"]


def test_both_processes_write_lines_of_one_form(tmp_path: Path, refused: RefusedLog) -> None:
    keep(refused, "a")
    keep_rejected(tmp_path, NOW, 1, [Rejected("why", "shop", NOW, b"b", "id")])
    lines = [json.loads(line) for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert {tuple(line) for line in lines} == {("reason", "site", "received_at", "id", "content")}
    assert sorted(line["content"] for line in lines) == ["a", "b"]


def test_what_cannot_be_kept_is_said_once_however_much_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rejected").write_text("no folder")
    refused = RefusedLog(tmp_path / "rejected", Masks(), CAP)
    for number in range(5):
        keep(refused, str(number))
    assert len(caplog.messages) == 1
    assert "are not kept, at first one of shop" in caplog.messages[0]
    (tmp_path / "rejected").unlink()
    keep(refused, "kept")
    keep(refused, "kept too")
    assert caplog.messages[1:] == ["refused events are kept again"]
    assert texts(tmp_path / "rejected") == ["kept", "kept too"]


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    refused = RefusedLog(tmp_path / "rejected", Masks(), CAP)
    keep(refused, "lost")
    for path in (tmp_path / "rejected").iterdir():
        path.unlink()
    (tmp_path / "rejected").rmdir()
    keep(refused, "noticed")
    keep(refused, "kept")
    assert texts(tmp_path / "rejected") == ["kept"]
