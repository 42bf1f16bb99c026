"""One person taken out of the lake, the journal and all that lies beside them.

The steps stand in an order in which each can be done again: whatever a later one needs to find is still there while an
earlier one is at work. So it is carried out from the beginning after a `kill -9`, and ends at the same.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .dictionary import DICTIONARIES
from .disk import DRAFT, sync
from .erasures import Erasure, find_erasure, find_subject, finish, forget_unasked, marks, save, waiting
from .folder import Folder
from .reader import connect
from .redaction import Mark, Redaction, redact_segment
from .rejected import forget_lines
from .rewrite import AreDue, rewrite
from .runs import Runs
from .segment import OPEN, SEALED, segment_number
from .stored_segments import stored_segments
from .subject import Subject
from .table import Table
from .writer import Writer

MAX_PROBLEM = 500

ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"\\/]))")
"""How JSON writes a character; PHP puts a backslash before each slash, others need not."""

PERSON = "coalesce((select person_id from lake.joined_users where user_id = $id), $id)"
"""The person of a user: whom merges join is erased as one, whichever of their ids is named."""

USERS = f"select $id as user_id union select user_id from lake.joined_users where person_id = {PERSON}"

EVENTS_OF_USER = f"""
    select event_id from lake.events_of_people
    where (is_user and person_id = {PERSON}) or user_id in ({USERS})
"""
EVENTS_OF_DEVICE = "select event_id from lake.events where device_id = $id"

DEVICES_OF_USER = f"""
    select device_id from lake.events_of_people where device_id is not null
    group by device_id having bool_and(is_user and person_id = {PERSON})
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of somebody: the events, and by what else they are known, each id with what it is called.

    `users` are those whom merges join with this one, `devices` the browsers that were theirs alone.
    """

    subject: Subject
    event_ids: pa.Array
    users: dict[int, str] = field(default_factory=dict)
    devices: dict[int, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        """The keyed hashes under which they stand in the lake."""
        return [self.subject.id, *self.users, *self.devices]

    @property
    def texts(self) -> list[str]:
        """What they are called by the browser and by the site."""
        return [text for text in (self.subject.text, *self.users.values(), *self.devices.values()) if text]

    def marks(self, until: int | None = None) -> list[Mark]:
        """What keeps all of them away."""
        kinds = [(self.subject.kind, [self.subject.id]), ("user", self.users), ("device", self.devices)]
        return [Mark(kind, id_, until) for kind, ids in kinds for id_ in ids]


def find_person(connection: duckdb.DuckDBPyConnection, subject: Subject) -> Found:
    """What the lake has of somebody. A user's are the events of the person, on whatever device."""
    values = {"id": subject.id}
    query = EVENTS_OF_USER if subject.kind == "user" else EVENTS_OF_DEVICE
    event_ids = pa.array([row[0] for row in connection.execute(query, values).fetchall()], pa.string())
    if not subject.text:
        subject = msgspec.structs.replace(subject, text=_name_of(connection, subject))
    if subject.kind == "device":
        return Found(subject, event_ids)
    named = f"""
        select joined.user_id, coalesce(min(users."user"), '') from ({USERS}) as joined
        left join lake.users as users on users.user_id = joined.user_id
        where joined.user_id <> $id group by 1"""
    users = dict(connection.execute(named, values).fetchall())
    named = (
        f"select device_id, min(device) from lake.devices where device_id in ({DEVICES_OF_USER}) group by 1"
    )
    return Found(subject, event_ids, users, dict(connection.execute(named, values).fetchall()))


def counts_of(connection: duckdb.DuckDBPyConnection, found: Found) -> dict[str, int]:
    """How many rows an erasure would take out of each table that is about people."""
    connection.register("_erased_events", pa.table({"event_id": found.event_ids}))
    connection.register("_erased_ids", pa.table({"id": pa.array(found.ids, pa.int64())}))
    try:
        [row] = connection.execute(_COUNTS).fetchall()
    finally:
        connection.unregister("_erased_events")
        connection.unregister("_erased_ids")
    return dict(zip(("events", "identities", "traits", "page_counts", "devices"), row, strict=True))


_COUNTS = """
    with gone as (select id from _erased_ids), told as (select event_id from _erased_events)
    select
        (select count(*) from lake.events where event_id in (from told)),
        (select count(*) from lake.identities
            where from_id in (from gone) or to_id in (from gone) or event_id in (from told)),
        (select count(*) from lake.traits where subject_id in (from gone) or event_id in (from told)),
        (select count(*) from lake.page_counts where device_id in (from gone)),
        (select count(distinct device_id) from lake.devices where device_id in (from gone))
"""


def carry_out(folder: Folder, writer: Writer) -> list[Erasure]:
    """Carry out what waits, as far as the journal allows; those that are done now.

    Every segment that was there when it was asked for has to be in the lake first: so nothing slips through behind.
    """
    writer.suppress(marks(folder))
    done = []
    # Those that failed come last, so that nobody waits behind them.
    for each in sorted(waiting(folder), key=lambda each: bool(each.problem)):
        erasure = _with_end(folder, each)
        if _is_drained(folder.journal, erasure.drained or 0) and not writer.is_interrupted:
            after = _try(folder, writer, erasure)
            done += [after] if after.status == "done" else []
    forget_unasked(folder)
    return done


def _with_end(folder: Folder, erasure: Erasure) -> Erasure:
    """The erasure with the last segment that may hold something from before it."""
    if erasure.drained is not None:
        return erasure
    return save(folder, msgspec.structs.replace(erasure, drained=_last_undone(folder.journal)))


def _try(folder: Folder, writer: Writer, erasure: Erasure) -> Erasure:
    try:
        return _erase(folder, writer, erasure)
    except Exception as problem:
        # So that whoever looks at the receipt is told. On a full disk even this may fail.
        with suppress(OSError):
            said = f"{type(problem).__name__}: {problem}"[:MAX_PROBLEM]
            save(folder, msgspec.structs.replace(find_erasure(folder, erasure.id), problem=said))
        raise


def _erase(folder: Folder, writer: Writer, erasure: Erasure) -> Erasure:
    connection = connect(folder.path, memory_limit="512MB", threads=1)
    try:
        found = find_person(connection, find_subject(folder, erasure))
        counts = counts_of(connection, found)
    finally:
        connection.close()
    if erasure.status == "waiting" or any(counts.values()):
        erasure = _begin(folder, erasure, found, counts)
    writer.suppress(marks(folder))
    tables, ids = writer.tables, [mark.id for mark in erasure.marks]
    counts = dict(erasure.counts)
    # First what is found by way of the events, then these, then what is found by the marks, and what nobody points at.
    counts["rejected"] = counts.get("rejected", 0) + _clean_rejected(folder, found.texts)
    remove_uploads(folder)
    segments = _redact(folder, writer.redaction_with(found.event_ids.to_pylist()))
    counts["journal"] = counts.get("journal", 0) + segments
    _remove(tables["traits"], ids, found, "subject_id")
    _remove(tables["events"], (), found)
    _remove(tables["identities"], ids, found, "from_id", "to_id")
    _remove(tables["page_counts"], ids, None, "device_id")
    counts |= {name: counts.get(name, 0) + gone for name, gone in remove_unneeded(tables).items()}
    writer.read_names()
    _empty(folder.spill, folder.quarantine)
    erasure = save(folder, msgspec.structs.replace(erasure, counts=counts))
    # While another process writes at length, such as a compaction, its files are left alone: then it goes on later.
    is_past_forgotten = all(table.forget_past() for table in tables.values())
    # What was kept of files that are gone went with them, unless the process that deleted them was killed right then.
    _empty(folder.cache)
    return finish(folder, erasure, writer.now()) if is_past_forgotten else erasure


def _begin(folder: Folder, erasure: Erasure, found: Found, counts: dict[str, int]) -> Erasure:
    """Note what will go while it is all still there: the marks of all their ids, and how many rows."""
    known = {mark.id for mark in erasure.marks}
    more = [mark for mark in found.marks(erasure.marks[0].until) if mark.id not in known]
    noted = {
        name: max(count, erasure.counts.get(name, 0)) for name, count in counts.items() if name != "devices"
    }
    return save(
        folder,
        msgspec.structs.replace(
            erasure, status="begun", marks=[*erasure.marks, *more], counts=erasure.counts | noted
        ),
    )


def _remove(table: Table, ids: Collection[int], found: Found | None, *columns: str) -> int:
    gone = pa.array(ids, pa.int64())
    by_event = found is not None and "event_id" in table.schema.names

    def is_theirs(rows: pa.Table) -> pa.ChunkedArray:
        due = [pc.is_in(rows[name], value_set=gone) for name in columns]
        if by_event:
            assert found is not None
            due.append(pc.is_in(rows["event_id"], value_set=found.event_ids))
        picked = due[0]
        for each in due[1:]:
            picked = pc.or_(picked, each)
        return picked

    return rewrite(table, [*columns, *(["event_id"] if by_event else [])], is_theirs)


def remove_unneeded(tables: dict[str, Table]) -> dict[str, int]:
    """Remove the names of people and groups whom nothing names, and elements on which nothing happened."""
    subjects = _used(tables["events"], ("device_id", "user_id", "group_id"))
    for name in ("from_id", "to_id"):
        for rows in tables["identities"].read((name,)):
            _add(subjects, rows[name])
    removed = {
        name: rewrite(tables[name], (DICTIONARIES[name],), _not_in(subjects, DICTIONARIES[name]))
        for name in ("devices", "users", "groups")
    }
    removed["group_traits"] = rewrite(
        tables["traits"],
        ("subject_kind", "subject_id"),
        lambda rows: pc.and_(pc.equal(rows["subject_kind"], "group"), _not_in(subjects, "subject_id")(rows)),
    )
    for name, needed in _needed_places(tables).items():
        removed[name] = rewrite(tables[name], (DICTIONARIES[name],), _not_in(needed, DICTIONARIES[name]))
    return removed


def _needed_places(tables: dict[str, Table]) -> dict[str, Runs]:
    """The elements and placements on which something happened or that stand around those, and what all of them are."""
    needed = {name: Runs() for name in ("elements", "placements", "descriptors")}
    targets = _used(tables["events"], ("element_id",))
    places = _used(tables["events"], ("placement_id",))
    for rows in tables["placements"].read(("placement_id", "ancestors")):
        chosen = rows.filter(_in(places, "placement_id")(rows))
        _add(needed["placements"], chosen["placement_id"])
        _add(needed["placements"], pc.list_flatten(chosen["ancestors"]))
    for rows in tables["placements"].read(
        ("placement_id", "element_id", "descriptor_id", "previous_siblings")
    ):
        chosen = rows.filter(_in(needed["placements"], "placement_id")(rows))
        _add(targets, chosen["element_id"])
        _add(needed["descriptors"], chosen["descriptor_id"])
        _add(needed["descriptors"], pc.list_flatten(chosen["previous_siblings"]))
    for rows in tables["elements"].read(("element_id", "ancestors")):
        chosen = rows.filter(_in(targets, "element_id")(rows))
        _add(needed["elements"], chosen["element_id"])
        _add(needed["elements"], pc.list_flatten(chosen["ancestors"]))
    for rows in tables["elements"].read(("element_id", "descriptor_id", "previous_siblings")):
        chosen = rows.filter(_in(needed["elements"], "element_id")(rows))
        _add(needed["descriptors"], chosen["descriptor_id"])
        _add(needed["descriptors"], pc.list_flatten(chosen["previous_siblings"]))
    return needed


def _used(table: Table, columns: Sequence[str]) -> Runs:
    used = Runs()
    for rows in table.read(columns):
        for column in rows.columns:
            _add(used, column)
    return used


def _in(ids: Runs, column: str) -> AreDue:
    return lambda rows: pa.chunked_array([pa.array(ids.holds(rows[column].fill_null(0).to_numpy()))])


def _not_in(ids: Runs, column: str) -> AreDue:
    return lambda rows: pc.invert(_in(ids, column)(rows))


def _add(ids: Runs, column: pa.ChunkedArray) -> None:
    new = np.unique(column.drop_null().to_numpy())
    ids.add(new[~ids.holds(new)])


def _redact(folder: Folder, redact: Redaction) -> int:
    """Take their events out of the segments that are kept; how many those were."""
    events = sum(redact_segment(path, redact) for path in stored_segments(folder.journal))
    # Of a process that was killed while it did this.
    for draft in folder.journal.glob(f"*{DRAFT}"):
        draft.unlink()
        sync(folder.journal)
    return events


def _clean_rejected(folder: Folder, texts: Sequence[str]) -> int:
    """Remove lines that name somebody, and damaged bytes, of which nobody can tell whose they are."""
    removed = forget_lines(folder.rejected, lambda line: names_one_of(line, texts))
    for path in folder.rejected.glob("journal-*.damaged"):
        path.unlink()
        sync(folder.rejected)
        removed += 1
    return removed


def remove_uploads(folder: Folder) -> None:
    """Remove exports that wait to be imported, with their reports: they can be uploaded again, without the erased."""
    _empty(folder.imports)
    for number, place in enumerate(sorted(folder.imports.glob("*"))):
        # Under another name first: an import that still goes on writes nothing more into it.
        gone = place.with_name(f"removed-{number}-{place.name}")
        # Whoever tidies up may have been first.
        with suppress(FileNotFoundError):
            place.rename(gone)
            shutil.rmtree(gone)


def forget_late_rejected(folder: Folder, redaction: Redaction) -> int:
    """Remove what was rejected of somebody after they were erased, as far as it says whose it is; how many lines."""
    return forget_lines(folder.rejected, lambda line: _is_marked(line, redaction)) if redaction else 0


def _is_marked(line: bytes, redaction: Redaction) -> bool:
    try:
        said = json.loads(line)
        content = json.loads(said["content"])
        events = [content, *content.get("events", ())]
        users = [each["user"] for each in events if isinstance(each.get("user"), str)]
        return redaction.is_of_erased(str(said["site"]), content.get("device"), users)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # What cannot be read says of nobody whose it is.
        return False


def names_one_of(line: bytes, texts: Iterable[str]) -> bool:
    """Whether a line of `rejected/` holds one of these texts, however it is written in there."""
    try:
        said = json.loads(line)
        content = "\n".join(str(value) for value in said.values())
    except (ValueError, AttributeError):
        content = line.decode("utf-8", "replace")
    plain = _without_escapes(content)
    for text in texts:
        written = (text, json.dumps(text)[1:-1], quote(text, safe="", errors="replace"))
        if text in plain or any(form in content for form in written):
            return True
    return False


def _without_escapes(text: str) -> str:
    r"""What JSON's escapes in a text stand for, whichever of them its writer chose.

    >>> _without_escapes(r'{"user": "acme\/j\u00F6rg"')
    '{"user": "acme/jörg"'
    """
    if "\\" not in text:
        return text
    plain = ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    # Two of them may be one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _name_of(connection: duckdb.DuckDBPyConnection, subject: Subject) -> str:
    query = (
        'select min("user") from lake.users where user_id = $id'
        if subject.kind == "user"
        else "select min(device) from lake.devices where device_id = $id"
    )
    [[name]] = connection.execute(query, {"id": subject.id}).fetchall()
    return name or ""


def _last_undone(journal: Path) -> int:
    return max((segment_number(path) for path in _undone(journal)), default=0)


def _is_drained(journal: Path, until: int) -> bool:
    return all(segment_number(path) > until for path in _undone(journal))


def _undone(journal: Path) -> list[Path]:
    return [path for path in journal.iterdir() if path.suffix in (OPEN, SEALED)]


def _empty(*folders: Path) -> None:
    """Delete every file below these folders, so that no power cut brings one back."""
    places = set()
    for folder in folders:
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file():
                path.unlink(missing_ok=True)
                places.add(path.parent)
    for place in places:
        # Whoever makes room in them may remove them.
        with suppress(FileNotFoundError):
            sync(place)
