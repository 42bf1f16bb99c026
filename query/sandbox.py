"""SQL that a person typed: one SELECT over the views, nothing else in reach."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb

from expost.errors import InvalidInput
from expost.lake.reader import lock_down
from expost.lake.rejected import create_rejected_view
from expost.state.names import name_key

from .answer import Answer, plain
from .cohort_view import PREFIX, cohort_notes, cohort_of_view, cohort_select
from .column import column_names, exact_values
from .condition import compile_definition
from .definition import Definition
from .question import Question
from .reading import Reading
from .saved import VIEWS as VIEW_NAMES
from .spreadsheet import csv_text
from .statement import identifier

MOST_ROWS = 1_000_000
MOST_CHARACTERS = 100_000
VIEWS = (
    "The views are events, elements, placements, people, losses and rejected, each definition by its name: "
    '"Signed up", and the people of each cohort: "cohort_Regulars".'
)
HINT = (
    "One SELECT over the views events, elements, placements, people, losses and rejected, "
    'definitions by their names, and cohorts: "cohort_Regulars".'
)
STANDS_IN = {
    "users": "people", "persons": "people", "visitors": "people", "identities": "people", "traits": "people",
    "devices": "events, in the column device", "groups": "events, in the column group",
    "sessions": "events, in the column session_ordinal", "flags": "events, in the columns flag and variation",
    "pages": "events, in the columns host and path", "descriptors": "elements",
    "cohorts": "views of their own, cohort_ and their name", "positions": "placements", "siblings": "placements",
    "missing": "losses", "lost": "losses", "loss": "losses",
}  # fmt: skip
"""Where to look for what people call a table."""


@dataclass(frozen=True, slots=True)
class SqlQuery(Question):
    """One SELECT over the views `events`, `elements`, `people`, `losses` and `rejected`, in the sandbox.

    `rejected` is there for admins only.
    """

    text: str
    limit: int = 10_000
    is_admin: bool = True


@dataclass(frozen=True, slots=True)
class RowsAnswer(Answer):
    """The rows of an SQL question; `is_cut` when there were more than the limit.

    `for row in answer` gives one dict per row, `rows()` a list of them, `to_polars()` a frame. Names in `columns`
    differ: of columns called `a` the second is `a_1`.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    is_cut: bool

    @property
    def cut(self) -> str:
        """That there are more rows, in words; empty where these are all."""
        there = f"There are more rows than these {len(self):,}: select fewer, or raise the limit."
        return there if self.is_cut else ""

    def rows(self) -> list[dict[str, Any]]:
        """One dict per row."""
        return list(self)

    def to_csv(self) -> str:
        """As CSV, with its head also where there is no row."""
        return csv_text(self.columns, self)

    def to_parquet(self) -> bytes:
        """As Parquet, with its columns also where there is no row."""
        from .parquet import parquet_bytes

        return parquet_bytes(self.columns, self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.values:
            yield dict(zip(self.columns, row, strict=True))

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        return True

    def to_json(self) -> Any:
        """A list of rows. A column with a whole number beyond ±2^53 is text: JavaScript would round it."""
        exact = [exact_values(column) for column in zip(*self.values, strict=True)]
        return [dict(zip(self.columns, map(plain, row), strict=True)) for row in zip(*exact, strict=True)]


def sql_query(reading: Reading, question: SqlQuery) -> RowsAnswer:
    """The rows of one SELECT, run where only the lake's files can be read and nothing can be changed."""
    if len(question.text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The query has {len(question.text):,} characters; at most {MOST_CHARACTERS:,}.",
            hint="Long lists of values are shorter as a definition or a cohort, which a query can name.",
        )
    if question.limit not in range(1, MOST_ROWS + 1):
        raise InvalidInput(f"The limit is {question.limit!r}.", hint=f"Between 1 and {MOST_ROWS:,}.")
    connection = reading.connection
    _put_aside_apart(reading, question)
    used = _create_named_views(reading, question.text)
    lock_down(connection, also=_create_rejected_view(reading, question))
    statement = _single_select(connection, question.text)
    # A SELECT may hold an INSERT or DELETE in a `with`: no transaction that only reads lets it through.
    connection.execute("begin transaction read only")
    try:
        cursor = connection.execute(statement)
        columns = column_names(column[0] for column in cursor.description or ())
        rows = cursor.fetchmany(question.limit + 1)
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as problem:
        raise _unanswerable(problem) from problem
    reading.sql.append(question.text.strip())
    return RowsAnswer(
        question=question,
        basis=reading.basis(notes=used),
        columns=columns,
        values=tuple(tuple(row) for row in rows[: question.limit]),
        is_cut=len(rows) > question.limit,
    )


def _put_aside_apart(reading: Reading, question: SqlQuery) -> None:
    """Let what memory does not hold go where only queries of the same rights put theirs.

    The engine lets a query read the whole folder in which it puts things aside itself, so nothing else may be there.
    """
    if reading.spill == Path(gettempdir()):
        return
    spill = reading.spill / ("sql-admins" if question.is_admin else "sql")
    spill.mkdir(mode=0o700, exist_ok=True)
    reading.connection.execute("set temp_directory = $spill", {"spill": str(spill)})


def _create_named_views(reading: Reading, text: str) -> list[str]:
    """Make a view for each definition and cohort that the query names, as it spells it; what each means, in words."""
    connection = reading.connection
    notes: list[str] = []
    for place, name in enumerate(sorted(_relations(connection, text))):
        if name_key(name) in VIEW_NAMES:
            continue
        said = _definition_view(reading, name, place) or _cohort_view(reading, name, place)
        if said is not None:
            select, meant = said
            connection.execute(f"create or replace view {identifier(name)} as {select}")
            notes += meant
    return list(dict.fromkeys(notes))


def _definition_view(reading: Reading, name: str, place: int) -> tuple[str, list[str]] | None:
    """The events of the definitions of a name, if there are any."""
    found = reading.named(name)
    if not found:
        return None
    selects = [
        _definition_select(reading.connection, site, definition, f"d{place}_{number}")
        for number, (site, definition) in enumerate(found)
    ]
    return " union all ".join(selects), [
        f"{name!r} is version {definition.version} of the site {site!r}: {definition}"
        for site, definition in found
    ]


def _cohort_view(reading: Reading, name: str, place: int) -> tuple[str, list[str]] | None:
    """The people of the cohorts of a name, if it is that of such a view and there are any."""
    called = cohort_of_view(name)
    found = reading.named_cohorts(called) if called else ()
    return (cohort_select(found, place), cohort_notes(name, found)) if found else None


def _create_rejected_view(reading: Reading, question: SqlQuery) -> Sequence[str]:
    """Make the view `rejected` if the query names it and an admin asks; the files that it reads."""
    if not question.is_admin or "rejected" not in map(
        str.lower, _relations(reading.connection, question.text)
    ):
        return ()
    files = reading.rejected_files()
    create_rejected_view(reading.connection, files)
    return files


def _relations(connection: duckdb.DuckDBPyConnection, text: str) -> set[str]:
    """The names that a query reads from, without a schema. Of a text that is no SELECT there are none."""
    found: set[str] = set()
    try:
        [parsed] = connection.execute("select json_serialize_sql($text)", {"text": text}).fetchone() or (
            "{}",
        )
        open_parts = [json.loads(parsed)]
    except (duckdb.Error, RecursionError):
        # What is wrong with the text is said where it is run.
        return found
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, dict):
            if part.get("type") == "BASE_TABLE" and not part["schema_name"]:
                found.add(part["table_name"])
            open_parts += part.values()
        elif isinstance(part, list):
            open_parts += part
    return found


def _definition_select(
    connection: duckdb.DuckDBPyConnection, site: str, definition: Definition, prefix: str
) -> str:
    """A select of the events that surely match. Its values are variables of the connection: a view binds nothing."""
    compiled = compile_definition(definition, prefix)
    for name, value in (compiled.parameters | {f"{prefix}_site": site}).items():
        connection.execute(f"set variable {name} = $value", {"value": value})
    expressions = ",\n".join(compiled.expressions())
    text = f"{'with ' if expressions else ''}{expressions}\n"
    text = f"({text}select e.* from events as e where e.site = $site and {compiled.surely})"
    text = re.sub(r"\$site\b", f"${prefix}_site", text)
    return re.sub(r"\$([a-z_][a-z0-9_]*)", r"getvariable('\1')", text)


def _single_select(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    """The one statement in the text, if it only reads. DuckDB's own parser decides, so no trick of quoting helps."""
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as problem:
        raise InvalidInput(f"The query cannot be read: {_first_line(problem)}", hint=HINT) from problem
    if len(statements) != 1:
        raise InvalidInput(f"There are {len(statements)} statements; one is expected.", hint=HINT)
    [statement] = statements
    if statement.type == duckdb.StatementType.MULTI:
        # What DuckDB's parser makes of it where it has to look for the values itself.
        raise InvalidInput(
            "A PIVOT that does not name its values is several statements, and is refused.",
            hint="Name them, in parentheses: select * from (pivot … on type in ('click', 'change') using count(*))",
        )
    if statement.type != duckdb.StatementType.SELECT:
        raise InvalidInput(f"A statement of the kind {statement.type.name} is refused.", hint=HINT)
    if statement.named_parameters:
        name = min(statement.named_parameters)
        raise InvalidInput(f"The parameter ${name} has no value.", hint="Write the value into the query.")
    return statement


def _unanswerable(problem: duckdb.Error) -> InvalidInput:
    """What is wrong with a query; of a table that is none, the documented view that holds the same."""
    missing = re.search(r"Table with name (.+?) does not exist", str(problem))
    if missing is None:
        return InvalidInput(f"The query cannot be answered: {_first_line(problem)}", hint=HINT)
    name = missing[1].strip('"').lower()
    if cohort_of_view(name) is not None:
        return InvalidInput(
            f"The query cannot be answered: there is no cohort called {name.removeprefix(PREFIX)!r}.",
            hint='List them with: expost cohorts. Names with spaces stand in quotes: "cohort_Paid twice".',
        )
    near = get_close_matches(name, VIEW_NAMES, n=1)
    place = STANDS_IN.get(name) or (near[0] if near else "")
    return InvalidInput(
        f"The query cannot be answered: there is no view called {missing[1]!r}.",
        hint=f"What you ask for is in {place}. {VIEWS}" if place else VIEWS,
    )


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n\n")[0]
