"""What the doctor says of a healthy folder and of damaged ones, and what it mends."""

from __future__ import annotations

import json
import os
import shutil
import socket
from contextlib import closing
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from expost.cli import main
from expost.clock import wall_clock
from expost.errors import FolderError
from expost.lake.compactor import compact_folder, summarize_folder
from expost.lake.erasures import request_erasure
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal
from expost.lake.lock import Lock
from expost.lake.mending import ask_server
from expost.lake.quarantine import set_aside_noted
from expost.lake.rebuilding import at_rest
from expost.lake.schema import TABLES
from expost.lake.segment import SEALED, segment_number
from expost.lake.stored_segments import stored_segments
from expost.lake.subject import Subject
from expost.serve import _serve
from expost.settings import load_settings
from tests.lake.nameless import without_checksums
from tests.lake.test_mending import live
from tests.serving import Serving


@pytest.fixture
def folder(ann_and_bob: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(ann_and_bob.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def doctor(folder: Folder, *words: str) -> tuple[int, list[str], list[str]]:
    """The status, what is wrong, and what was mended."""
    ended = CliRunner().invoke(main, ["doctor", "--data", str(folder.path), *words])
    findings = json.loads(ended.stdout)["findings"]
    return (
        ended.exit_code,
        [each["says"] for each in findings if each["is_wrong"]],
        [each["says"] for each in findings if each["part"] == "mended"],
    )


def test_a_healthy_folder_is_healthy_and_has_nothing_to_mend(folder: Folder) -> None:
    assert doctor(folder) == (0, [], [])
    assert doctor(folder, "--mend") == (0, [], ["Nothing: every file and every log of the lake is whole."])


def test_it_says_how_many_files_are_summed_up_and_why_others_are_not(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.lake.summary.LEAST_BYTES", 1)

    def said(**environment: str) -> str:
        ended = CliRunner().invoke(main, ["doctor", "--data", str(folder.path), "--json"], env=environment)
        [says] = [
            each["says"] for each in json.loads(ended.stdout)["findings"] if each["part"] == "summaries"
        ]
        return str(says)

    count = len(live(folder, "events"))
    assert said().startswith(f"0 of {count} large file")
    assert said().endswith("or by: expost compact")
    assert "For the others there is no room" in said(EXPOST_CACHE_BYTES="100")
    assert said(EXPOST_CACHE_BYTES="0") == "None are made, as cache_bytes is 0."
    summarize_folder(folder)
    assert said().startswith(f"{count} of {count} large file")
    assert said().endswith(" bytes).")


def test_a_corrupted_file_is_named_and_mended(folder: Folder) -> None:
    path = live(folder, "events")[0]
    path.write_bytes(path.read_bytes()[:-30])
    status, wrong, _ = doctor(folder)
    assert status == 1
    assert wrong[0].startswith(f"events: {path.name} cannot be read: ")
    status, wrong, mended = doctor(folder, "--mend")
    assert (status, wrong) == (0, [])
    assert mended[0] == "1 file set aside in quarantine/"
    assert mended[1].startswith("back from the journal: ")
    assert " of events" in mended[1]


def test_what_follows_from_a_damaged_file_is_not_to_be_put_back_from_a_backup(folder: Folder) -> None:
    for path in live(folder, "page_counts"):
        column = pq.read_metadata(path).row_group(0).column(0)
        data = bytearray(path.read_bytes())
        for place in range(column.total_compressed_size - 4):
            data[column.data_page_offset + place] ^= 0xFF
        path.write_bytes(data)
    ended = CliRunner().invoke(main, ["doctor", "--data", str(folder.path)])
    wrong = [each for each in json.loads(ended.stdout)["findings"] if each["is_wrong"]]
    assert {each["part"] for each in wrong} == {"lake", "losses"}
    assert wrong[-1]["says"] == "Nobody can tell while the lake is damaged."
    assert not any("Put it back" in each["hint"] for each in wrong)


def test_a_missing_commit_is_noticed_and_mended(folder: Folder) -> None:
    max((folder.lake / "events" / "_delta_log").glob("*.json")).unlink()
    status, wrong, _ = doctor(folder)
    assert status == 1
    assert wrong[0] == "The lake knows nothing of 1 segment that went into it"
    assert doctor(folder, "--mend")[:2] == (0, [])
    assert doctor(folder) == (0, [], [])


def test_an_entry_that_is_missing_in_the_middle_is_noticed_and_mended(folder: Folder) -> None:
    sorted((folder.lake / "events" / "_delta_log").glob("*.json"))[-2].unlink()
    status, wrong, _ = doctor(folder)
    assert status == 1
    assert wrong[0] == "The log of the table events cannot be read: an entry is missing or damaged."
    assert wrong[1].startswith("events: an entry of its log is missing before 0")
    assert doctor(folder, "--mend")[:2] == (0, [])


def test_a_torn_journal_is_said_and_leaves_with_its_day(folder: Folder) -> None:
    path = stored_segments(folder.journal)[0]
    path.write_bytes(path.read_bytes()[:-10])
    status, wrong, _ = doctor(folder)
    assert (status, len(wrong)) == (1, 1)
    assert wrong[0].endswith(f"the first is {int(path.stem)}")


def test_a_running_server_is_asked_to_mend_a_file(folder: Folder) -> None:
    path = live(folder, "events")[0]
    path.write_bytes(path.read_bytes()[:-30])
    with Serving(folder.path):
        status, wrong, mended = doctor(folder, "--mend")
    assert (status, wrong) == (0, [])
    assert mended == ["The server has set 1 file aside, and stored what the journal held."]
    assert not path.exists()
    assert list(folder.quarantine.glob(f"*{path.name}"))


def test_a_server_that_does_not_answer_is_not_waited_for_without_end(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = live(folder, "events")[0]
    path.write_bytes(path.read_bytes()[:-30])
    monkeypatch.setattr("expost.doctor.ask_server", partial(ask_server, patience_seconds=0))
    server = Lock(folder.lock_path)
    status, _, mended = doctor(folder, "--mend")
    server.release()
    assert (status, mended) == (1, ["The server was asked to set 1 file aside, and is not done yet."])
    assert path.exists()
    assert set_aside_noted(folder)


def test_nobody_is_asked_to_mend_who_is_no_server(folder: Folder) -> None:
    path = live(folder, "events")[0]
    path.write_bytes(path.read_bytes()[:-30])
    with closing(Journal(folder, wall_clock, work="an import")):
        ended = CliRunner().invoke(main, ["doctor", "--mend", "--data", str(folder.path)])
    found = {each["part"]: each for each in json.loads(ended.stdout)["findings"]}
    assert ended.exit_code == 1
    assert found["mended"]["says"] == f"Nothing: the folder is in use by process {os.getpid()} (an import)."
    assert found["mended"]["hint"] == "Wait until that is done, then again: expost doctor --mend."
    assert found["server"]["says"].startswith("No server runs on this folder, but it is in use by process")
    assert doctor(folder, "--mend")[:2] == (0, [])


def test_what_a_server_leaves_to_be_mended_is_said_with_what_to_do(folder: Folder) -> None:
    log = folder.lake / "traits" / "_delta_log"
    max(log.glob("*.json")).unlink()
    server = Lock(folder.lock_path)
    ended = CliRunner().invoke(main, ["doctor", "--mend", "--data", str(folder.path)])
    server.release()
    [lost] = [
        each for each in json.loads(ended.stdout)["findings"] if "last entries are missing" in each["says"]
    ]
    assert lost["hint"].startswith("Stop the server and start it again")


def test_files_without_a_checksum_in_their_names_are_counted(folder: Folder) -> None:
    def said() -> str:
        ended = CliRunner().invoke(main, ["doctor", "--data", str(folder.path)])
        of_lake = [each["says"] for each in json.loads(ended.stdout)["findings"] if each["part"] == "lake"]
        return str(next(says for says in of_lake if "checksum" in says))

    count = sum(len(live(folder, name)) for name in TABLES)
    assert said() == f"The checksum of each of {count} files stands in its name."
    nameless = len(live(folder, "events"))
    without_checksums(folder.lake / "events")
    assert said().startswith(f"{nameless} of {count} files were written by an older version")
    compact_folder(folder, everything=True)
    assert said().startswith("The checksum of each of")


def test_the_missing_end_of_any_log_is_named_and_mended(folder: Folder) -> None:
    log = folder.lake / "traits" / "_delta_log"
    max(log.glob("*.json")).unlink()
    status, wrong, _ = doctor(folder)
    assert (status, wrong) == (
        1, ["traits: its log ended at version 2 and ends at 1 now: the last entries are missing"],
    )  # fmt: skip
    status, wrong, mended = doctor(folder, "--mend")
    assert (status, wrong, mended[0]) == (0, [], "the last entries were missing in the logs of traits")
    assert " of traits" in mended[1]


def test_an_entry_that_cannot_be_read_is_named_and_mended(folder: Folder) -> None:
    entries = sorted((folder.lake / "events" / "_delta_log").glob("*.json"))
    entries[0].write_bytes(entries[0].read_bytes()[:-5])
    status, wrong, _ = doctor(folder)
    assert status == 1
    assert f"events: an entry of its log cannot be read: {entries[0].name}" in wrong
    assert doctor(folder, "--mend")[:2] == (0, [])


def test_a_table_that_is_gone_comes_back_and_is_not_missed_for_ever(folder: Folder) -> None:
    shutil.rmtree(folder.lake / "devices")
    assert doctor(folder)[0] == 1
    assert doctor(folder, "--mend")[:2] == (0, [])
    assert doctor(folder)[:2] == (0, [])


def test_a_journal_that_is_gone_is_named_and_made_anew(folder: Folder) -> None:
    shutil.rmtree(folder.journal)
    status, wrong, _ = doctor(folder)
    assert (status, wrong) == (1, [f"The folder {folder.journal} is missing."])
    assert doctor(folder, "--mend")[:2] == (0, [])


def test_a_state_that_is_gone_is_named(folder: Folder) -> None:
    for path in folder.path.glob("state.sqlite*"):
        path.unlink()
    status, wrong, _ = doctor(folder)
    assert (status, wrong) == (1, ["The lake holds events of shop, and no site is called that."])


def test_a_secret_that_is_gone_is_named_and_not_made_anew(folder: Folder) -> None:
    folder.secret_path.unlink()
    status, wrong, _ = doctor(folder)
    assert (status, "secret is missing" in wrong[0]) == (1, True)
    with pytest.raises(FolderError, match="secret is missing"):
        open_folder(folder.path, create=True)


def test_the_secret_of_another_folder_is_named_and_nothing_is_stored_by_it(folder: Folder) -> None:
    folder.secret_path.write_text("ab" * 32)
    status, wrong, _ = doctor(folder)
    assert (status, "is not the one with which the lake" in wrong[0]) == (1, True)
    with pytest.raises(FolderError, match="is not the one with which the lake"), at_rest(folder):
        pass
    with (
        socket.socket() as listener,
        pytest.raises(FolderError, match="is not the one with which the lake"),
    ):
        _serve(load_settings({"data": folder.path}, {}), listener)


def test_a_receipt_of_an_erasure_that_cannot_be_read_is_named(folder: Folder) -> None:
    subject = Subject.named(folder.secret(), "shop", user="nobody-known")
    receipt = folder.erasures / f"{request_erasure(folder, subject, wall_clock()).id}.json"
    assert doctor(folder)[:2] == (0, [])
    receipt.write_bytes(receipt.read_bytes()[:-20])
    [says] = doctor(folder)[1]
    assert str(receipt) in says
    with pytest.raises(FolderError, match="The receipt of an erasure"), at_rest(folder):
        pass


def test_a_segment_that_was_damaged_before_it_was_stored_is_no_spare_copy(folder: Folder) -> None:
    waiting = stored_segments(folder.journal)[-1]
    again = waiting.rename(waiting.with_name(f"{segment_number(waiting) + 1:020}{SEALED}"))
    again.write_bytes(again.read_bytes()[:-10])
    assert "waiting for the lake" in doctor(folder)[1][0]
    assert "stored as far as they were whole" in doctor(folder, "--mend")[1][0]
