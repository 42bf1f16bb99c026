"""A look at the first rows of a table: what is in its columns, and a mapping that seems to fit."""

from __future__ import annotations

import re
from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from expost.errors import InvalidInput

from .files import Shape, head, is_parquet, tables
from .foreign import Row, Unusable, text_of
from .mapping import Mapping, guess_shape, mapping_of, time_in, write_mapping
from .packed import BOM
from .time_columns import find_times, guess_format, is_clock, is_clock_part, is_day, unlike, with_other_half

SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """The columns of a table with values of its first rows, and a mapping for a person to look at.

    `doubts` says what of the first rows does not fit it.
    """

    columns: Named[str, Sequence[str]]
    mapping: Mapping
    doubts: Sequence[str] = ()

    def to_toml(self) -> str:
        """The mapping as a file, with the columns as comments."""
        lines = [f"# {_in_line(name)}: {', '.join(samples)}" for name, samples in self.columns.items()]
        head = ["# Columns and some of their values:", *lines, ""]
        return "\n".join([*head, self._mapping])

    @property
    def _mapping(self) -> str:
        doubts = [f"# {_in_line(each)}" for each in self.doubts]
        return "\n".join([*doubts, *([""] if doubts else []), *self.missing, write_mapping(self.mapping)])

    @property
    def missing(self) -> list[str]:
        """A line to fill in, as a comment, for each of what was not found and an import cannot do without."""
        lines = []
        if not self.mapping.time:
            lines.append(
                "# No column of times was found. Say which it is, and how it writes them, such as 3/2/2026:"
            )
            lines += ['# time = "COLUMN"', '# time_format = "%m/%d/%Y"', ""]
        if not self.mapping.user and not self.mapping.device:
            lines += [
                "# Nobody is named. Say by which column, of users or of browsers:",
                '# user = "COLUMN"',
                "",
            ]
        return lines

    def to_json(self) -> dict[str, Any]:
        """The same for a program."""
        columns = {name: list(each) for name, each in self.columns.items()}
        return {"columns": columns, "mapping": self._mapping}


def proposal(path: Path) -> Proposal:
    """A look at the first rows of a table. Refuses one that has none to look at, and says why."""
    _refuse_other_text(path)
    shape = guess_shape(path)
    placed, unreadable = inspect(path)
    if 1 in unreadable and not is_parquet(path):
        # The next row would be taken for the one of names.
        raise _refusal(f"The first row of {path.name} cannot be read", unreadable[1])
    rows = list(placed.values())
    if not rows and unreadable:
        raise _refusal(f"No row of {path.name} can be read", next(iter(unreadable.values())))
    if not rows:
        raise InvalidInput(
            f"{path.name} has names of columns at most, and no row below.",
            hint="Tables have one event a line, and a first row of names.",
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    mapping = propose(rows, shape)
    if is_parquet(path):
        # What stands between values is said of text alone.
        mapping = replace(mapping, delimiter=Mapping().delimiter)
    return Proposal({name: _samples(rows, name) for name in names}, mapping,
                    [*_unread(unreadable), *_doubts(placed, mapping)])  # fmt: skip


def _refuse_other_text(path: Path) -> None:
    """Refuse an empty file, and UTF-16 without the mark by which it is read: every other byte of it is no character."""
    begins = head(path)
    if 4 * begins[:200].count(0) > len(begins[:200]):
        raise InvalidInput(
            f"{path.name} is no UTF-8, and seems to be UTF-16 without a byte order mark.",
            hint="Save the table as UTF-8, or: iconv -f UTF-16LE -t UTF-8 FILE > NEW",
        )
    if not path.stat().st_size or begins == BOM:
        raise InvalidInput(
            f"{path.name} is empty{' but for a byte order mark' if begins else ''}.",
            hint="Export it again, or name another file.",
        )


def _refusal(what: str, why: Unusable) -> InvalidInput:
    return InvalidInput(f"{what}: {why}.", hint=why.hint or "Export it again, or name another file.")


def _unread(unreadable: Named[int, Unusable]) -> list[str]:
    if not unreadable:
        return []
    row, why = next(iter(unreadable.items()))
    many = f"{len(unreadable)} of the first rows cannot be read, and will be rejected. The first is row {row}"
    return [f"{many}: {why}. {why.hint}".rstrip()]


def _doubts(placed: Named[int, Row], mapping: Mapping) -> list[str]:
    """What a person should know of the times before an import rejects rows, or takes a day for its midnight."""
    if not mapping.time:
        return []
    said = unlike({place: time_in(row, mapping.time) for place, row in placed.items()}, mapping.time_format)
    rows = list(placed.values())
    [first, *others] = mapping.time
    if not others and is_day(rows, first):
        held = {column for _, column in mapping.named()}
        free = [name for name in rows[0] if name not in held]
        clocks = [name for name in free if is_clock(rows, name)]
        parts = [name for name in free if is_clock_part(rows, name)]
        if not clocks and parts:
            said.append(
                f"{first} has days alone, so that every event is at midnight. {' and '.join(parts)} may say the time "
                "of day: left out, since an import takes it from one column that writes it such as 02:30"
            )
        if clocks:
            said.append(
                f"{first} has days alone, so that every event is at midnight. If {clocks[0]} is the time of day: "
                f'time = ["{first}", "{clocks[0]}"]'
            )
    return said


def _samples(rows: Sequence[Row], name: str) -> list[str]:
    texts = dict.fromkeys(text_of(row.get(name)) for row in rows)
    return [_in_line(text)[:40] for text in texts if text][:3]


def _in_line(text: str) -> str:
    """A text as a comment of TOML may have it, which is one line."""
    return "".join(each if each.isprintable() else "�" for each in text)


def inspect(path: Path, rows: int = SAMPLE_ROWS) -> tuple[dict[int, Row], dict[int, Unusable]]:
    """The first rows of a table by their numbers, by a shape that is guessed from its first line.

    Beside them those that cannot be read, and why.
    """
    found = list(islice(tables(path, guess_shape(path)), rows))
    return (
        {place.row: row for place, row in found if not isinstance(row, Unusable)},
        {place.row: row for place, row in found if isinstance(row, Unusable)},
    )


# Which columns are likely what, the likeliest name first.
_LIKELY = {
    "time": "timestamp event_time event_timestamp time datetime date created_at occurred_at ts at when day "
    "zeitstempel zeitpunkt zeit datum",
    "id": "event_id uuid insert_id id message_id messageid",
    "device": "device_id anonymous_id anonymousid client_id visitor_id cookie_id cookie device gerät",
    "user": "user_id userid customer_id account_id person_id distinct_id user customer who case:concept:name "
    "benutzer nutzer kunde kundennummer kunden_id",
    "event": "event event_name event_type action name activity what concept:name ereignis aktion",
    "url": "url page_url current_url page_location page",
    "title": "title page_title",
    "referrer": "referrer page_referrer referer",
    "user_agent": "user_agent useragent",
    "release": "release app_version version",
    "environment": "environment env",
    "sequence": "sequence seq event_index",
}
_ADDRESS = re.compile(r"(?:user_|client_|remote_)?ip(?:_?address)?\Z", re.IGNORECASE)


def propose(rows: Sequence[Row], shape: Shape) -> Mapping:
    """A mapping that seems to fit these rows: for a person to look at."""
    names = list(dict.fromkeys(name for row in rows for name in row if name))
    lower = {name.lower(): name for name in reversed(names)}
    said: dict[str, Any] = {"delimiter": shape.delimiter, "columns": shape.columns}
    taken: set[str] = set()
    for meaning, likely in _LIKELY.items():
        found = next(
            (lower[each] for each in likely.split() if each in lower and lower[each] not in taken), None
        )
        if found is None or (meaning == "id" and not _are_distinct([row.get(found) for row in rows])):
            continue
        if meaning == "url" and not any("/" in text_of(row.get(found)) for row in rows):
            continue
        taken.add(found)
        said[meaning] = (found,) if meaning == "id" else found
    free = [name for name in names if name not in taken]
    if found := said.get("time") or find_times(rows, free):
        said["time"] = with_other_half(rows, found, free)
    said["drop"] = tuple(name for name in names if _ADDRESS.match(name))
    if "time" in said:
        said["time_format"] = guess_format([time_in(row, said["time"]) for row in rows])
    if "event" not in said:
        said["name"] = "Imported"
    return mapping_of(said)


def _are_distinct(values: Sequence[object]) -> bool:
    return len({text_of(each) for each in values}) == len(values)
