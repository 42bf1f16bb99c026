"""SQL that a person typed: one SELECT over the views, nothing else in reach."""

from __future__ import annotations

import re
from difflib import get_close_matches

import duckdb

from expost.errors import InvalidInput
from expost.lake.reader import lock_down

from .answer import RowsAnswer
from .column import column_names
from .question import SqlQuery
from .reading import Reading

MOST_ROWS = 1_000_000
MOST_CHARACTERS = 100_000
VIEWS = "The views are events, elements, people and losses."
HINT = "One SELECT over the views events, elements, people and losses."
STANDS_IN = {
    "users": "people", "persons": "people", "visitors": "people", "identities": "people", "traits": "people",
    "devices": "events, in the column device", "groups": "events, in the column group",
    "sessions": "events, in the column session_ordinal", "flags": "events, in the columns flag and variation",
    "pages": "events, in the columns host and path", "descriptors": "elements",
    "missing": "losses", "lost": "losses", "loss": "losses",
}  # fmt: skip
"""Where to look for what people call a table."""


def sql_query(reading: Reading, question: SqlQuery) -> RowsAnswer:
    """The rows of one SELECT, run where only the lake's files can be read and nothing can be changed."""
    if len(question.text) > MOST_CHARACTERS:
        raise InvalidInput(f"The query has {len(question.text):,} characters; at most {MOST_CHARACTERS:,}.")
    if not 1 <= question.limit <= MOST_ROWS:
        raise InvalidInput(f"The limit is {question.limit}.", hint=f"Between 1 and {MOST_ROWS:,}.")
    connection = reading.connection
    lock_down(connection)
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
        basis=reading.basis(),
        columns=columns,
        values=tuple(tuple(row) for row in rows[: question.limit]),
        is_cut=len(rows) > question.limit,
    )


def _single_select(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    """The one statement in the text, if it only reads. DuckDB's own parser decides, so no trick of quoting helps."""
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as problem:
        raise InvalidInput(f"The query cannot be read: {_first_line(problem)}", hint=HINT) from problem
    if len(statements) != 1:
        raise InvalidInput(f"There are {len(statements)} statements; one is expected.", hint=HINT)
    [statement] = statements
    if statement.type != duckdb.StatementType.SELECT:
        raise InvalidInput(f"A statement of the kind {statement.type.name} is refused.", hint=HINT)
    if statement.named_parameters:
        name = min(statement.named_parameters)
        raise InvalidInput(f"The parameter ${name} has no value.", hint="Write the value into the query.")
    return statement


def _unanswerable(problem: duckdb.Error) -> InvalidInput:
    """What is wrong with a query; of a table that is none, the documented view that holds the same."""
    missing = re.search(r"Table with name (\S+) does not exist", str(problem))
    if missing is None:
        return InvalidInput(f"The query cannot be answered: {_first_line(problem)}", hint=HINT)
    name = missing[1].strip('"').lower()
    near = get_close_matches(name, ("events", "elements", "people", "losses"), n=1)
    place = STANDS_IN.get(name) or (near[0] if near else "")
    return InvalidInput(
        f"The query cannot be answered: there is no view called {missing[1]!r}.",
        hint=f"What you ask for is in {place}. {VIEWS}" if place else VIEWS,
    )


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n\n")[0]
