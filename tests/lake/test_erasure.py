"""After an erasure no byte of the folder names the person, and everybody else is as before."""

from __future__ import annotations

import errno
import json
import random
import shutil
import threading
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from expost.clock import from_micros, wall_clock
from expost.collector.masks import Masks
from expost.collector.refused import RefusedLog
from expost.collector.wire import Refused
from expost.errors import InvalidInput
from expost.ids import keyed_hash
from expost.lake import erasure
from expost.lake.agent import agent_of
from expost.lake.arrival import arrival_of
from expost.lake.batch import Accepted
from expost.lake.edits import Edit, say, take_edits
from expost.lake.erasure import carry_out, forget_late_rejected
from expost.lake.erasures import (
    Erasure,
    erasures,
    failing,
    find_erasure,
    forget_unasked,
    marks,
    repeat_all,
    request_erasure,
    save,
)
from expost.lake.event_table import _view_row
from expost.lake.folder import Folder, open_folder
from expost.lake.journal import Journal, sealed_segments
from expost.lake.mention import names_one_of
from expost.lake.patience import Patience
from expost.lake.quarantine import replay_stored
from expost.lake.reader import connect
from expost.lake.rebuilding import at_rest, drain
from expost.lake.rejected import Rejected, forget_lines, keep_rejected, line_of
from expost.lake.schema import TABLES
from expost.lake.sink import Sink
from expost.lake.snapshot import find_snapshot
from expost.lake.stored_segments import stored_segments
from expost.lake.subject import Subject
from expost.lake.table import Table
from expost.lake.writer import Writer
from tests.lake.traces import traces
from tests.story import Story, click, group, identify, track, view
from tests.torture.power import Power

ANN = "device-of-ann-4711"
PHONE = "phone-of-ann-4712"
SHARED = "kiosk-in-the-hall"
USER = "ann@shop.example"
OF_ANN = (ANN, PHONE, USER, "Hello Ann", "annsbutton", "Ann's secret wish", "ann-corp", "/of-ann")
OF_BOB = ("device-of-bob", "bob@shop.example", "bobsbutton", "/of-bob")


def tell(folder: Folder) -> Story:
    """Ann on two browsers of her own and on one that Bob uses after her; then Bob on his own."""
    story = Story(folder.path)
    for device in (ANN, PHONE):
        story.capture(
            device,
            view("/of-ann"),
            click("main a.annsbutton", label="Hello Ann"),
            identify(USER, plan="Ann's secret wish"),
            group("account", "ann-corp", size=3),
            track("Wished", wish="Ann's secret wish"),
            at="10:00",
            counts={4: 9},
        )
    story.capture(
        SHARED, view("/of-ann"), identify(USER), track("Wished", wish="Ann's secret wish"), at="11:00"
    )
    story.capture(SHARED, view("/of-bob"), identify("bob@shop.example"), track("Paid", amount=3), at="12:00")
    story.capture("", track("Renewed", amount=9), at="12:30", on_server=True)
    story.capture(
        "device-of-bob", view("/of-bob"), click("main a.bobsbutton"), identify("bob@shop.example"), at="13:00"
    )
    return story


def write(folder: Folder, batches: list[Accepted]) -> None:
    """Acknowledge these now: they wait in the journal."""
    journal = Journal(folder, wall_clock)
    for accepted in batches:
        journal.write(msgspec.msgpack.encode(accepted))
    journal.close()


def store(folder: Folder) -> None:
    """All of the story through the journal into the lake, a file each, so that a removal has something to do."""
    story = tell(folder)
    with Writer(folder) as writer:
        for accepted in story.waiting:
            write(folder, [accepted])
            drain(folder, writer)


def erase(folder: Folder, **named: str) -> Erasure:
    subject = Subject.named(folder.secret(), "shop", **named)
    asked = request_erasure(folder, subject, wall_clock())
    with at_rest(folder) as writer:
        carry_out(folder, writer)
    return find_erasure(folder, asked.id)


def rows(folder: Folder, query: str) -> list[tuple[object, ...]]:
    with connect(folder.path) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def folder(ann_and_bob: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(ann_and_bob.path, tmp_path / "data")
    return open_folder(tmp_path / "data")


def test_of_a_user_no_byte_is_left_and_others_are_as_before(folder: Folder) -> None:
    everything = [*OF_ANN, *OF_BOB]
    assert {text for _, text in traces(folder.path, everything)} == set(everything)
    of_bob = "select * from events where \"user\" = 'bob@shop.example' order by event_id"
    before = rows(folder, of_bob)
    done = erase(folder, user=USER)
    assert traces(folder.path, OF_ANN) == []
    assert {text for _, text in traces(folder.path, [*OF_BOB, SHARED])} == {*OF_BOB, SHARED}
    assert rows(folder, of_bob) == before
    assert len(before) == 5
    assert rows(folder, "select name from events where source = 'server'") == [("Renewed",)]
    assert rows(folder, "select user_id from lake.users") != []
    assert (done.status, done.counts["events"], done.counts["journal"]) == ("done", 14, 14)


def test_the_receipt_tells_counts_and_a_digest_and_no_id(folder: Folder) -> None:
    done = erase(folder, user=USER)
    said = done.receipt()
    assert done.counts == {
        "events": 14, "identities": 3, "traits": 4, "page_counts": 6, "journal": 14, "rejected": 0, "devices": 2,
        "users": 1, "groups": 1, "group_traits": 0, "elements": 1, "placements": 1, "descriptors": 1,
    }  # fmt: skip
    assert len(str(said["digest"])) == 64
    assert not {"marks", "subject", "text"} & said.keys()
    assert str(done.marks[0].id) not in json.dumps(said)


def merge(folder: Folder, one: str, other: str) -> None:
    """An editor says that two users are one person."""
    ids = [keyed_hash(folder.secret(), "user", "shop", user) for user in (one, other)]
    now = from_micros(wall_clock())
    edge = {
        "edge_id": 1, "site": "shop", "kind": "merge", "from_id": ids[0], "to_id": ids[1], "at": now,
        "recorded_at": now,
    }  # fmt: skip
    schema = TABLES["identities"]
    rows = pa.Table.from_pylist([{name: edge.get(name) for name in schema.names}], schema)
    Table(folder.lake / "identities", schema).append(rows, "an editor", 1)


@pytest.mark.parametrize("named", [USER, "bob@shop.example"])
def test_whoever_was_merged_is_erased_as_one_whichever_id_is_named(folder: Folder, named: str) -> None:
    merge(folder, USER, "bob@shop.example")
    done = erase(folder, user=named)
    assert traces(folder.path, [*OF_ANN, *OF_BOB]) == []
    assert {(mark.kind, mark.id) for mark in done.marks} >= {
        ("user", keyed_hash(folder.secret(), "user", "shop", user)) for user in (USER, "bob@shop.example")
    }
    # What a server said of nobody.
    assert rows(folder, "select name from events") == [("Renewed",)]


def test_of_a_device_what_it_did_goes_and_the_user_stays_known_elsewhere(folder: Folder) -> None:
    erase(folder, device=ANN)
    assert traces(folder.path, [ANN]) == []
    assert rows(
        folder, "select count(*), count(distinct device) from events where \"user\" = 'ann@shop.example'"
    ) == [(9, 2)]


def test_what_arrives_late_is_not_stored_and_not_kept_in_the_journal(folder: Folder) -> None:
    erase(folder, user=USER)
    late = Story(folder.path)
    late.capture(PHONE, view("/of-ann"), track("Wished", wish="Ann's secret wish"), at="2026-03-03 10:00")
    late.capture("", track("Wished", wish="Ann's secret wish"), at="2026-03-03 10:00", on_server=True)
    late.capture(SHARED, view("/"), identify(USER), at="2026-03-03 11:00")
    named = msgspec.structs.replace(late.waiting[1].events[0], user=USER)
    batches = [late.waiting[0], msgspec.structs.replace(late.waiting[1], events=[named]), late.waiting[2]]
    write(folder, batches)
    assert traces(folder.path, OF_ANN) != []
    with Writer(folder) as writer:
        drain(folder, writer)
    assert traces(folder.path, OF_ANN) == []
    # The view on a browser of which nobody knows that it was Ann again is kept.
    assert rows(folder, "select type from events where time >= timestamptz '2026-03-03 00:00Z'") == [
        ("page_view",)
    ]


def test_who_may_come_back_is_stored_again_from_then_on(folder: Folder) -> None:
    subject = Subject.named(folder.secret(), "shop", device=ANN)
    request_erasure(folder, subject, wall_clock(), is_lasting=False)
    story = Story(folder.path)
    story.capture(ANN, view("/"), at="10:00")
    later = Story(folder.path)
    later.capture(ANN, view("/again"), at="2050-01-01 10:00")
    write(folder, [*story.waiting, *later.waiting])
    with at_rest(folder) as writer:
        drain(folder, writer)
        carry_out(folder, writer)
        drain(folder, writer)
    write(folder, [*story.waiting, *later.waiting])
    with Writer(folder) as writer:
        drain(folder, writer)
    assert rows(folder, f"select path from events where device = '{ANN}'") == [("/again",)]


def test_what_waits_in_the_journal_goes_too(folder: Folder) -> None:
    story = Story(folder.path)
    story.capture(ANN, view("/of-ann"), at="2026-03-04 10:00")
    write(folder, story.waiting)
    erase(folder, device=ANN)
    assert sealed_segments(folder.journal) == []
    assert traces(folder.path, [ANN]) == []


def test_an_erasure_waits_for_the_segments_that_were_there_before(folder: Folder) -> None:
    story = Story(folder.path)
    story.capture(ANN, view("/of-ann"), at="2026-03-04 10:00")
    write(folder, story.waiting)
    [path] = sealed_segments(folder.journal)
    # As if the server were still writing to it.
    path.rename(path.with_suffix(".open"))
    asked = request_erasure(folder, Subject.named(folder.secret(), "shop", device=ANN), wall_clock())
    with Writer(folder) as writer:
        assert carry_out(folder, writer) == []
        assert find_erasure(folder, asked.id).status == "waiting"
        path.with_suffix(".open").rename(path)
        drain(folder, writer)
        [done] = carry_out(folder, writer)
    assert (done.id, done.status) == (asked.id, "done")
    assert traces(folder.path, [ANN]) == []


def test_of_a_user_whose_login_still_waits_in_the_journal_no_byte_is_left(tmp_path: Path) -> None:
    """That login alone says whose the other events of the browser are."""
    folder = open_folder(tmp_path / "data", create=True)
    write(folder, tell(folder).waiting)
    done = erase(folder, user=USER)
    assert (done.status, traces(folder.path, OF_ANN)) == ("done", [])
    assert {text for _, text in traces(folder.path, [*OF_BOB])} == set(OF_BOB)


def test_lines_in_rejected_that_name_them_go_and_others_stay(folder: Folder) -> None:
    of_ann = Rejected("bad", "shop", 1, json.dumps({"device": ANN, "wish": "x"}).encode())
    of_bob = Rejected("bad", "shop", 1, b'{"device": "device-of-bob"}')
    [path] = keep_rejected(folder.rejected, wall_clock(), 5, [of_ann, of_bob])
    damaged = folder.rejected / "journal-00000000000000000001-44.damaged"
    damaged.write_bytes(b"\xffHello Ann")
    erase(folder, user=USER)
    assert path.read_bytes().count(b"\n") == 1
    assert not damaged.exists()
    assert traces(folder.path, [*OF_ANN]) == []


@pytest.mark.parametrize(
    "written",
    [
        '{"user": "acme/jörg \\"j\\""',
        r'{"user": "acme\/j\u00f6rg \"j\""',
        r'{"user":"\u0061cme\/j\u00F6rg \u0022j\u0022"',
        '{"url": "/users/acme%2Fj%C3%B6rg%20%22j%22/edit"',
    ],
)
def test_a_rejected_line_names_somebody_however_its_writer_escaped_the_id(written: str) -> None:
    line = line_of("It is no JSON.", "shop", 1, "", written)
    assert names_one_of(line, ['acme/jörg "j"'])
    assert not names_one_of(line, ['acme/jorg "j"', "acme/jörg j"])


def test_a_line_that_is_rejected_while_somebody_is_erased_is_not_lost(folder: Folder) -> None:
    log = RefusedLog(folder.rejected, Masks(), 1_000_000)
    log.keep("shop", wall_clock(), [Refused("1", "bad", b"before")])
    late = threading.Thread(target=log.keep, args=("shop", wall_clock(), [Refused("2", "bad", b"meanwhile")]))

    def is_due(line: bytes) -> bool:
        # Between reading a file and replacing it: whoever is let in now is lost.
        late.start()
        late.join(timeout=0.05)
        return True

    assert forget_lines(folder.rejected, is_due) == 1
    late.join()
    [left] = [line for path in folder.rejected.glob("*.ndjson") for line in path.read_bytes().splitlines()]
    assert json.loads(left)["content"] == "meanwhile"


def test_what_is_rejected_of_somebody_after_they_were_erased_goes_if_it_says_whose_it_is(
    folder: Folder,
) -> None:
    erase(folder, user=USER)
    contents = [
        json.dumps({"device": ANN, "events": []}),
        json.dumps({"device": "device-of-bob", "events": [{"user": USER}]}),
        json.dumps({"type": "identify", "user": USER}),
        json.dumps({"device": "device-of-bob", "events": [{"user": "bob@shop.example"}]}),
        json.dumps([ANN]),
        "{",
    ]
    late = [Rejected("bad", "shop", 1, content.encode()) for content in contents]
    [path] = keep_rejected(folder.rejected, wall_clock(), 5, late)
    with Writer(folder) as writer:
        writer.suppress(marks(folder))
        assert forget_late_rejected(folder, writer.redaction) == 3
    assert [json.loads(line)["content"] for line in path.read_bytes().splitlines()] == contents[3:]


def test_while_somebody_writes_at_length_the_rest_of_an_erasure_waits_and_costs_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, tried = erasure._erase, []

    def count(folder: Folder, writer: Writer, asked: Erasure) -> Erasure:
        tried.append(asked.id)
        return whole(folder, writer, asked)

    monkeypatch.setattr(erasure, "_erase", count)
    asked = request_erasure(folder, Subject.named(folder.secret(), "shop", user=USER), wall_clock())
    with Writer(folder) as writer:
        sink = Sink(folder, writer)
        with Table(folder.lake / "events", TABLES["events"]).writing():
            assert [sink.erase() for _ in range(3)] == [True] * 3
            assert tried == [asked.id]
            assert find_erasure(folder, asked.id).status == "begun"
            assert rows(folder, "select count(*) from events") == [(6,)]
        assert sink.erase()
    assert tried == [asked.id] * 2
    assert find_erasure(folder, asked.id).status == "done"
    assert traces(folder.path, OF_ANN) == []


def test_one_that_fails_is_said_and_tried_again_later_and_nobody_waits_behind_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    now = 1_000.0
    monkeypatch.setattr("expost.lake.patience.time.monotonic", lambda: now)
    whole, tried = erasure._erase, []

    def fail(folder: Folder, writer: Writer, asked: Erasure) -> Erasure:
        tried.append(asked.id)
        if asked.kind == "device":
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(folder, writer, asked)

    monkeypatch.setattr(erasure, "_erase", fail)
    patience = Patience()
    told: list[dict[str, object]] = []

    def look() -> bool:
        with Writer(folder) as writer:
            return Sink(folder, writer, patience, told.append).erase()

    asked = request_erasure(folder, Subject.named(folder.secret(), "shop", device=ANN), wall_clock())
    assert look() is False
    said = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert (said["event"], said["retry_after_seconds"]) == ("not erased", 10)
    assert "No space left" in said["error"]
    [found] = failing(folder)
    assert (found.id, found.receipt()["problem"]) == (asked.id, "OSError: [Errno 28] No space left on device")
    assert (look(), len(tried)) == (True, 1), "too early"
    other = request_erasure(folder, Subject.named(folder.secret(), "shop", user=USER), wall_clock())
    assert (look(), tried[1:]) == (False, [other.id, asked.id])
    assert find_erasure(folder, other.id).status == "done"
    assert told[-1] == {"erased": 0}, "said though another one failed"
    now += 59
    assert (look(), len(tried)) == (True, 3), "further apart each time"
    now += 2
    monkeypatch.setattr(erasure, "_erase", whole)
    assert look() is True
    assert (failing(folder), find_erasure(folder, asked.id).problem) == ([], "")


def test_what_was_kept_of_a_file_that_went_without_it_goes_too(folder: Folder) -> None:
    orphan = folder.cache / "events" / "part-gone" / "kept.parquet"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(ANN.encode())
    erase(folder, user=USER)
    assert traces(folder.path, OF_ANN) == []


def test_an_erasure_is_not_done_while_an_upload_cannot_be_removed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, unlink = folder.imports / "0123456789ab" / "file", Path.unlink
    upload.parent.mkdir(parents=True)
    upload.write_bytes(ANN.encode())

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == upload:
            raise PermissionError(path)
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        with pytest.raises(PermissionError):
            erase(folder, user=USER)
    assert [each.status for each in erasures(folder)] == ["begun"]
    erase(folder, user=USER)
    assert not any(folder.imports.iterdir())
    assert traces(folder.path, OF_ANN) == []


def test_nor_while_it_was_renamed_and_cannot_be_removed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.imports / "0123456789ab").mkdir(parents=True)

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(path)

    with monkeypatch.context() as patched:
        patched.setattr("os.rmdir", refuse)
        with pytest.raises(PermissionError):
            erase(folder, user=USER)
    assert [each.status for each in erasures(folder)] == ["begun"]
    erase(folder, user=USER)
    assert not any(folder.imports.iterdir())


@pytest.mark.parametrize(
    "draft",
    [
        "rejected/shop.2026-03-02.00000000000000000007.ndjson.draft",
        "rejected/journal-00000000000000000007-28.damaged.draft",
        "erasures/0198.request.draft",
        "erasures/0198.json.draft",
        "journal/00000000000000000007.stored.draft",
    ],
)
def test_what_a_process_was_writing_when_it_was_killed_goes_too(folder: Folder, draft: str) -> None:
    folder.erasures.mkdir(exist_ok=True)
    (folder.path / draft).write_bytes(USER.encode())
    erase(folder, user=USER)
    assert traces(folder.path, OF_ANN) == []


def test_a_text_stays_while_its_erasure_is_asked_for(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[list[str]] = []
    keep = save

    def look(folder: Folder, asked: Erasure) -> Erasure:
        # Another process looks in between, where the text is there and the erasure is not yet.
        forget_unasked(folder)
        left.append([path.suffix for path in folder.erasures.iterdir()])
        return keep(folder, asked)

    with monkeypatch.context() as patched:
        patched.setattr("expost.lake.erasures.save", look)
        request_erasure(folder, Subject.named(folder.secret(), "shop", user=USER), wall_clock())
    assert left == [[".request"]]
    forget_unasked(folder)
    assert sorted(path.suffix for path in folder.erasures.iterdir()) == [".json", ".request"]


@pytest.mark.parametrize("seed", range(3))
def test_no_power_cut_after_an_erasure_brings_anything_back(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    of_ann = Rejected("bad", "shop", wall_clock(), USER.encode())
    of_bob = Rejected("bad", "shop", wall_clock(), b"of bob")
    keep_rejected(folder.rejected, wall_clock(), 5, [of_ann, of_bob])
    for place in (folder.quarantine, folder.spill, folder.cache / "events" / "x"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "of-somebody").write_bytes(ANN.encode())
    power = Power(folder.path, random.Random(seed))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", power.sync)
        erase(folder, user=USER)
    power.image(tmp_path / "image")
    assert traces(tmp_path / "image", OF_ANN) == []
    image = open_folder(tmp_path / "image")
    assert [each.status for each in erasures(image)] == ["done"]
    assert any(b"of bob" in path.read_bytes() for path in image.rejected.iterdir())


def test_a_lake_out_of_an_older_backup_is_erased_again_by_the_marks_alone(
    folder: Folder, tmp_path: Path
) -> None:
    before = [path.read_bytes() for path in stored_segments(folder.journal)]
    done = erase(folder, user=USER)
    for number, data in enumerate(before, 10_000):
        (folder.journal / f"{number:020}.stored").write_bytes(data)
    with Writer(folder) as writer:
        # The backup: all is there again, and nothing remembers whom it must not hold.
        writer.suppress([])
        replay_stored(folder, writer)
    assert {text for _, text in traces(folder.path, OF_ANN)} == set(OF_ANN)
    assert repeat_all(folder) == 1
    with at_rest(folder) as writer:
        carry_out(folder, writer)
    assert traces(folder.path, OF_ANN) == []
    again = find_erasure(folder, done.id)
    assert (again.status, again.repeats) == ("done", 1)


def test_the_process_that_erased_remembers_no_page_and_no_browser(folder: Folder) -> None:
    subject = Subject.named(folder.secret(), "shop", user=USER)
    request_erasure(folder, subject, wall_clock())
    story = Story(folder.path)
    story.capture("device-of-bob", view("/of-bob?utm_source=bob"), at="14:00")
    with at_rest(folder) as writer:
        writer.replay(story.waiting)
        remembered = (_view_row, arrival_of, agent_of)
        assert all(each.cache_info().currsize for each in remembered)
        carry_out(folder, writer)
        assert not any(each.cache_info().currsize for each in remembered)


def test_the_log_of_no_table_remembers_what_was(folder: Folder) -> None:
    erase(folder, user=USER)
    for table in folder.lake.iterdir():
        assert len(list((table / "_delta_log").glob("*.json"))) <= 1
        snapshot = find_snapshot(table)
        assert snapshot is not None
        assert {str(path) for path in table.glob("*.parquet")} == set(snapshot.files)


def test_ids_that_mean_nobody_are_refused(folder: Folder) -> None:
    for text in ("undefined", "", "[object Object]"):
        with pytest.raises(InvalidInput, match="nobody is known by it"):
            Subject.named(folder.secret(), "shop", user=text)
    with pytest.raises(InvalidInput, match="device id or by a user id"):
        Subject.named(folder.secret(), "shop")


def test_somebody_who_is_not_there_is_kept_away_all_the_same(folder: Folder) -> None:
    done = erase(folder, device="never seen")
    assert (done.status, done.counts["events"]) == ("done", 0)
    assert traces(folder.path, ["never seen"]) == []
    assert len(erasures(folder)) == 1


def test_of_a_merged_person_every_user_goes_and_stays_away(lake: Story) -> None:
    lake.capture("phone", identify("ann@shop.example"), track("Paid"), at="10:00")
    lake.capture("desk", identify("anna@home.example"), track("Paid"), at="11:00")
    lake.capture("kiosk", identify("bob"), track("Paid"), at="12:00")
    lake.store()
    ids = dict(lake.sql('select "user", user_id from lake.users'))
    with Writer(lake.folder) as writer:
        say(
            lake.folder,
            Edit(1, "shop", "merge", ids["anna@home.example"], ids["ann@shop.example"], wall_clock(), "eve"),
        )
        take_edits(lake.folder, writer)
    done = erase(lake.folder, user="ann@shop.example")
    assert {mark.id for mark in done.marks} >= {ids["ann@shop.example"], ids["anna@home.example"]}
    assert lake.sql('select distinct "user" from events') == [("bob",)]
    assert lake.sql("select count(*) from lake.identities") == [(1,)]
    assert traces(lake.folder.path, ["anna@home.example", "ann@shop.example"]) == []
