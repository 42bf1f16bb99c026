"""The portable SQL asked of ClickHouse's engine in this process: another engine as an oracle of the first.

The text is what DuckDB runs, transpiled by sqlglot; SPELLINGS is all that the two spell differently beyond that. What
edges say of people (lake/sql/persons.sql) is worked out by DuckDB and given as tables: it is the lake's, not the
questions'.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from chdb.session import Session
from sqlglot import exp

from expost.query.reading import Reading, Row, fed_into

GIVEN = ("events", "devices", "users", "groups", "logins", "joined_users", "traits_of_people")
"""The relations of the schema `lake` that questions are asked of."""

SPELLINGS = (
    "epoch_us as t -> toUnixTimestamp64Micro(t)",
    "make_timestamp as t -> fromUnixTimestamp64Micro(t, 'UTC')",
    # A moment is one everywhere; only what is made of it afterwards asks for the zone.
    "in_zone as (zone, t) -> toTimeZone(t, zone)",
    # Of a JSON pointer that names a property, or of all: texts without their quotes, all else as it is written.
    "json_text as (json, pointer) -> "
    "if(JSONType(json, substring(pointer, 2)) = 'String', JSONExtractString(json, substring(pointer, 2)), "
    "nullIf(nullIf(JSONExtractRaw(json, substring(pointer, 2)), ''), 'null'))",
    "json_value as json -> if(JSONType(json) = 'String', JSONExtractString(json), nullIf(json, 'null'))",
)
SETTINGS = {
    # As in standard SQL: nulls where nothing was joined, of nothing and in comparisons; the columns of a relation
    # before the names that a select makes.
    "join_use_nulls": 1,
    "aggregate_functions_null_for_empty": 1,
    "prefer_column_name_to_alias": 1,
    "transform_null_in": 0,
    "enable_materialized_cte": 1,
    "union_default_mode": "'DISTINCT'",
    # Times of stories are few, and threads cost more than they bring.
    "max_threads": 1,
}


class ClickHouse:
    """One engine for a whole session of tests; `fill` replaces what it holds."""

    def __init__(self) -> None:
        self.session = Session()
        for statement in (
            "create database lake",
            "create database asked",
            "use asked",
            *(f"create function {spelling}" for spelling in SPELLINGS),
            *(f"set {name} = {value}" for name, value in SETTINGS.items()),
        ):
            self.run(statement)

    def run(self, sql: str) -> list[Row]:
        """The rows of a statement."""
        text = str(self.session.query(sql, "JSONCompactEachRow"))
        return [tuple(json.loads(line)) for line in text.splitlines()]

    def fill(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take what a lake in DuckDB holds."""
        with tempfile.TemporaryDirectory() as folder:
            for name in GIVEN:
                file = Path(folder) / f"{name}.parquet"
                connection.execute(f"copy (select * from lake.{name}) to '{file}' (format parquet)")
                self.run(
                    f"create or replace table lake.{name} engine = Memory as select * from file('{file}', Parquet) "
                    "settings schema_inference_make_columns_nullable = 1"
                )

    def close(self) -> None:
        """End the engine."""
        self.session.close()


@dataclass
class ClickHouseReading(Reading):
    """A reading whose statements ClickHouse runs: by the portable SQL alone, which is all that it can read."""

    engine: ClickHouse = field(kw_only=True)

    def execute(self, text: str, values: Mapping[str, Any]) -> list[Row]:
        """Run this text there and give the rows of its last statement."""
        self.say(text, values)
        return self._ask(text, values)

    def quietly(self, text: str, values: Mapping[str, Any]) -> Any:
        """The same, of which the answer need not say anything. DuckDB looks up for notes which names the lake knows."""
        if "lake." in text:
            return super().quietly(text, values)
        return _Fetched(self._ask(text, values))

    def feed(self, relation: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows to a relation there."""
        self.sql.append(fed_into(relation, columns))
        given = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        self.engine.run(f"insert into {relation} ({', '.join(columns)}) values {given}")

    def _ask(self, text: str, values: Mapping[str, Any]) -> list[Row]:
        available = self.common_values() | dict(values)
        missing = frozenset(name for name, value in available.items() if value is None)
        rows: list[Row] = []
        for statement in transpiled(text, missing):
            rows = self.engine.run(_bound(statement, available))
        return rows


@dataclass(frozen=True)
class _Fetched:
    rows: list[Row]

    def fetchall(self) -> list[Row]:
        return self.rows


@cache
def transpiled(text: str, missing: frozenset[str]) -> list[str]:
    """Statements of DuckDB as ClickHouse has them, with values as `§name§`; those that are `missing` are null."""
    statements = []
    for tree in filter(None, sqlglot.parse(text, read="duckdb")):
        body = tree.expression if isinstance(tree, exp.Create) else tree
        _ask_once(body)
        for node in list(body.walk()):
            other = _respelled(node, missing)
            if other is not node:
                node.replace(other)
        said = body.sql(dialect="clickhouse")
        if isinstance(tree, exp.Create):
            # Views too: what a view reads may be replaced before it is asked.
            said = (
                f"create or replace temporary table {tree.this.sql('clickhouse')} engine = Memory as {said}"
            )
        statements.append(said)
    return statements


def _ask_once(body: exp.Expr) -> None:
    """Let what a statement reads several times be worked out once: a funnel of many steps would be copied for each."""
    reads = Counter(table.name for table in body.find_all(exp.Table))
    for each in body.find_all(exp.CTE):
        each.set("materialized", reads[each.alias] > 1 or None)


def _respelled(node: exp.Expr, missing: frozenset[str]) -> exp.Expr:
    match node:
        case exp.Placeholder():
            return exp.Null() if node.name in missing else exp.Var(this=f"§{node.name}§")
        case exp.ArrayContains(this=exp.Placeholder(name=name)) if name in missing:
            return exp.Null()
        case exp.Anonymous() if node.name == "timezone":
            node.set("this", "in_zone")
        case exp.Anonymous() if node.name == "row":
            node.set("this", "tuple")
        case exp.JSONExtractScalar(expression=exp.Placeholder()):
            return exp.Anonymous(this="json_text", expressions=[node.this, node.expression])
        case exp.JSONExtractScalar():
            return exp.Anonymous(this="json_value", expressions=[node.this])
        case exp.Column() if node.arg_key == "expressions" and isinstance(node.parent, exp.Select):
            # A column of one of several relations is called like the relation too.
            return node if node.is_star else exp.alias_(node, node.name)
        case exp.PercentileDisc():
            return _parsed(f"arraySort(groupArray({node.this}))[toUInt64(ceil({node.expression} * count()))]")
        case exp.Window() if _is_by_value(node):
            return _by_arrays(node)
        case _:
            pass
    return node


def _is_by_value(window: exp.Window) -> bool:
    """Whether a window is of the rows whose value is at most so much less."""
    frame = window.args.get("spec")
    return (
        frame is not None
        and isinstance(frame.args["start"], exp.Literal)
        and int(frame.args["start"].name) > 1
    )


def _by_arrays(window: exp.Window) -> exp.Expr:
    """The minimum over such a window. ClickHouse bounds frames by value to 32 bits: 36 minutes, in microseconds."""
    moment, reach = window.args["order"].expressions[0].this, window.args["spec"].args["start"]
    units = ", ".join(map(str, window.args["partition_by"]))
    rows = f"groupArray(({moment}, {window.this.this})) over (partition by {units})"
    return _parsed(f"arrayMin(arrayMap(e -> e.2, arrayFilter(e -> e.1 >= {moment} - {reach}, {rows})))")


def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="clickhouse")


def _bound(statement: str, values: Mapping[str, Any]) -> str:
    return re.sub("§(.+?)§", lambda found: _literal(values[found[1]]), statement)


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return f"fromUnixTimestamp64Micro({round(value.timestamp() * 1e6)}, 'UTC')"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
