"""Rows of the table of inputs that are about other parts than the collector; and that no row of it is forgotten."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

import expost
import expost.door
from expost.errors import InvalidInput, SelectorError
from expost.lake.bot import bot_rule
from expost.lake.schema import EVENTS, TABLES
from expost.lake.snapshot import find_live_files
from expost.logs import JsonLines
from expost.query.pattern import Pattern
from expost.query.selector_parser import parse
from expost.query.spreadsheet import csv_text
from expost.state.database import State
from expost.state.names import name_key
from expost.state.sites import Site, add_site
from expost.ui.captured import captured, visible, web_address
from tests.collector import test_inputs, test_inputs_on_the_wire
from tests.story import Story, click, expose, track, view

ROWS = range(1, 47)
NAMES = ["'; drop table events; --", 'a"b\\c', "{{7*7}}", "$site", "%s"]


def refuses_a_selector(text: str) -> None:
    with pytest.raises(SelectorError):
        parse(text)


def opened(lake: Story) -> expost.door.Lake:
    """The lake as a person opens it, with its site."""
    state = State(lake.folder.state_path)
    add_site(state, Site("shop", "Shop"))
    state.close()
    return expost.open(lake.path)


def finds_every_odd_name(lake: Story) -> None:
    lake.capture("ann", *(track(name) for name in NAMES), at="10:00")
    found = opened(lake)
    for name in NAMES:
        assert (name, found.preview(found.define(name, track=name)).events) == (name, 1)
        assert found.sql(f'select count(*) as n from "{name.replace(chr(34), chr(34) * 2)}"').rows() == [
            {"n": 1}
        ]
    assert lake.sql("select count(*) from events") == [(len(NAMES),)]


def answers_a_catastrophic_pattern(lake: Story) -> None:
    lake.capture("ann", click("button", label="a" * 150 + "!"), at="10:00")
    found = opened(lake)
    assert found.preview(click="button").events == 1
    assert found.preview(click="button", text=Pattern("matches", "^(a+)+$")).events == 0
    with pytest.raises(InvalidInput):
        found.preview(click="button", text=Pattern("matches", r"(a)\1"))


def writes_no_forged_line(_: Story) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    handler.emit(logging.LogRecord("expost.x", 30, "", 0, "%s", ('a\x1b[31m\r\n{"level": "error"}',), None))
    [line] = out.getvalue().splitlines()
    assert json.loads(line)["event"].startswith("a\x1b[31m\r\n")
    assert "\x1b" not in line


def keeps_many_names_in_one_column(lake: Story) -> None:
    names = [[f"p{number}_{place}" for place in range(100)] for number in range(1_000)]
    lake.capture(
        "ann", *(track("x", **dict.fromkeys(each, 1)) for each in names), track("x", p0_0="1"), at="10:00"
    )
    [file] = find_live_files(lake.path / "lake" / "events")
    assert pq.read_schema(lake.path / "lake" / "events" / file.name).names == EVENTS.names
    kind = "json_type(properties, '$.' || $1)"
    asked = f"select count(*), min({kind}), max({kind}) from events where {kind} is not null"
    assert [lake.sql(asked.replace("$1", f"'{name}'")) for name in ("p7_7", "p999_99", "p0_0")] == [
        [(1, "UBIGINT", "UBIGINT")], [(1, "UBIGINT", "UBIGINT")], [(2, "UBIGINT", "VARCHAR")],
    ]  # fmt: skip


def makes_folders_of_its_own_names_only(lake: Story) -> None:
    bad = ("../../x", "__HIVE_DEFAULT_PARTITION__", "a/b", "site=blog")
    lake.capture(
        bad[1],
        *(track(name, **{name: name}) for name in bad),
        *(view(f"/{name}") for name in bad),
        at="10:00",
    )
    lake.store()
    made = [str(path.relative_to(lake.path)) for path in lake.path.rglob("*")]
    assert not [path for path in made if any(name in path for name in ("HIVE", "..", "site=", "/x"))]
    assert {path.parent.name for path in (lake.path / "lake").rglob("*.parquet")} <= TABLES.keys()


def keeps_no_zero_byte_of_a_table(lake: Story) -> None:
    assert "\0" not in csv_text(["label"], [{"label": "a\0b"}])
    assert "\0" not in captured("a\0b")


def keeps_an_exposure_unverified(lake: Story) -> None:
    lake.capture("ann", expose("never-served", "treatment"), at="10:00")
    assert lake.sql("select flag, verified from events") == [("never-served", False)]


def compares_names_after_nfkc(_: Story) -> None:
    assert name_key("Ｓigned up") == name_key("signed up")
    assert "U+202E" in captured("\u202egnp.exe")
    assert "U+200B" in visible("a\u200bb")


def writes_no_formula(_: Story) -> None:
    starts = "=+-@\t\r"
    lines = csv_text(["label"], [{"label": f"{start}1+1"} for start in starts])
    assert lines.count("'") == len(starts)


def makes_no_link_of_a_script(_: Story) -> None:
    assert [web_address(url) for url in ("javascript:alert(1)", "data:text/html,x")] == [None, None]
    assert "<b>" not in captured("<b>")


def knows_a_bot_and_drops_it_not(_: Story) -> None:
    assert bot_rule("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")


CASES: list[tuple[int, str, Callable[[Story], object]]] = [
    (8, "U+0000 in CSV and on a page", keeps_no_zero_byte_of_a_table),
    (28, "values that look like paths and partitions", makes_folders_of_its_own_names_only),
    (38, "100,000 names of properties, and one of two types", keeps_many_names_in_one_column),
    (31, "a script in an address", makes_no_link_of_a_script),
    (33, "formulas in CSV", writes_no_formula),
    (34, "SQL and templates in names", finds_every_odd_name),
    (35, "a selector of 100,000 commas", lambda _: refuses_a_selector("a," * 100_000 + "a")),
    (35, "a selector nested deep", lambda _: refuses_a_selector(":not(" * 900 + "a" + ")" * 900)),
    (35, "a catastrophic pattern", answers_a_catastrophic_pattern),
    (36, "look-alikes and direction marks in names", compares_names_after_nfkc),
    (37, "escapes and line ends in a log", writes_no_forged_line),
    (41, "a bot", knows_a_bot_and_drops_it_not),
    (45, "an exposure that was never served", keeps_an_exposure_unverified),
]


@pytest.mark.parametrize(("row", "what", "holds"), CASES, ids=[f"{row}-{what}" for row, what, _ in CASES])
def test_each_input_of_another_part_gets_its_answer(
    lake: Story, row: int, what: str, holds: Callable[[Story], object]
) -> None:
    holds(lake)


ALONE = {21: "half a body", 23: "an origin", 40: "a forged hop", 43: "a flood"}
"""Rows whose tests are sentences of their own: tests/collector/test_inputs_on_the_wire.py and test_capture.py."""


def test_no_row_of_the_table_is_forgotten() -> None:
    collected = {case.row for case in test_inputs.CASES} | {
        case.row for case in test_inputs_on_the_wire.CASES
    }
    assert sorted(collected | {row for row, _, _ in CASES} | ALONE.keys()) == list(ROWS)
