"""SQL in the sandbox: what is refused, how rows come out, and the view that each definition is."""

from __future__ import annotations

import resource
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expost.errors import InvalidInput, QueryLimit
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.state.sites import Site, add_site

DAY = date(2026, 3, 2)
REFUSED = [
    "select 1; select 2",
    "",
    "create table x (i int)",
    "insert into lake.events select * from lake.events",
    "with x as (delete from lake.snapshot returning *) select * from x",
    "copy (select 1) to '/tmp/expost-must-not-be-written.csv'",
    "select * from read_text('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from read_csv('/proc/self/environ')",
    "select * from glob('/*')",
    "set memory_limit = '100GB'",
    "set enable_external_access = true",
    "attach '/tmp/expost-must-not-be-written.db'",
    "install httpfs",
    "load httpfs",
    "pragma database_list",
    "select $name",
    "selec 1",
    "select * from nowhere",
]


@pytest.mark.parametrize("text", REFUSED)
def test_sql_that_does_more_than_read_the_lake_is_refused(analysis: Analysis, text: str) -> None:
    with pytest.raises(InvalidInput):
        analysis.ask(SqlQuery(text))
    assert not list(Path("/tmp").glob("expost-must-not-be-written*"))


@pytest.mark.parametrize("is_admin", [True, False])
def test_what_other_processes_put_aside_is_out_of_reach(analysis: Analysis, is_admin: bool) -> None:
    others = analysis.folder.spill / ("sql" if is_admin else "sql-admins")
    others.mkdir(parents=True, exist_ok=True)
    for place in (analysis.folder.spill, others):
        (place / "aside.txt").write_text("of somebody else")
        for text in (f"select * from read_text('{place}/aside.txt')", f"select * from glob('{place}/*')"):
            with pytest.raises(InvalidInput, match="Permission"):
                analysis.ask(SqlQuery(text, is_admin=is_admin))


@pytest.mark.parametrize(
    "text", ["select list_aggregate(range(90000000), 'sum')", "select repeat('x', 900000000)"]
)
def test_a_value_that_the_engine_does_not_count_ends_at_the_memory_limit(
    analysis: Analysis, text: str
) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(QueryLimit, match="at its memory limit of 500MB"):
        analysis.ask(SqlQuery(text))
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert analysis.ask(SqlQuery("select 1 as one")).to_json() == [{"one": 1}]


def test_sql_is_cut_at_its_limit_and_says_so(analysis: Analysis) -> None:
    answer = analysis.ask(SqlQuery("select * from range(10)", limit=3))
    assert isinstance(answer, RowsAnswer)
    assert answer.is_cut
    assert answer.to_json() == [{"range": 0}, {"range": 1}, {"range": 2}]


def test_columns_of_the_same_name_are_all_there(analysis: Analysis) -> None:
    answer = analysis.ask(SqlQuery("select 0 as b, 1 as a, 2 as a, 3 as a_1"))
    assert isinstance(answer, RowsAnswer)
    assert answer.to_json() == list(answer) == [{"b": 0, "a": 1, "a_2": 2, "a_1": 3}]
    assert answer.to_polars().columns == ["b", "a", "a_2", "a_1"]


def test_whole_numbers_that_javascript_would_round_are_text_in_json(analysis: Analysis) -> None:
    large = "1::ubigint, 1, true, [7, 1::bigint << 60]), (1::ubigint << 63, 2, null, null"
    answer = analysis.ask(SqlQuery(f"select * from (values ({large}))"))
    assert isinstance(answer, RowsAnswer)
    assert answer.to_json() == [
        {"col0": "1", "col1": 1, "col2": True, "col3": ["7", str(2**60)]},
        {"col0": str(2**63), "col1": 2, "col2": None, "col3": None},
    ]
    assert answer.rows()[1]["col0"] == 2**63
    assert analysis.ask(SqlQuery("select 1 where false")).to_json() == []


@pytest.mark.parametrize(
    ("name", "view"), [("users", "people"), ("event", "events"), ("Descriptors", "elements")]
)
def test_a_table_that_is_none_leads_to_the_documented_view(analysis: Analysis, name: str, view: str) -> None:
    with pytest.raises(InvalidInput, match=name) as refused:
        analysis.ask(SqlQuery(f"select * from {name}"))
    assert refused.value.hint.startswith(f"What you ask for is in {view}.")
    assert "lake." not in str(refused.value) + refused.value.hint


def test_a_query_nested_without_end_is_refused_in_words(analysis: Analysis) -> None:
    deep = "select * from (" * 3_000 + "events" + ")" * 3_000
    with pytest.raises(InvalidInput):
        analysis.ask(SqlQuery(deep))


def test_each_definition_is_a_view_of_its_name(analysis: Analysis) -> None:
    analysis.define(definition("Bought it!", click="form.cart button.buy", text="contains:Buy"))
    analysis.define(definition("Seen", view=["/", "/pricing"]))
    count = 'select count(*) as n, min(type) as t from "Bought it!"'
    [row] = _rows(analysis, count)
    assert (row["n"], row["t"]) == (1, "click")
    assert (
        _rows(analysis, 'select * from "ＢＯＵＧＨＴ  it!"')[0].keys()
        == _rows(analysis, "from events")[0].keys()
    )
    [both] = _rows(
        analysis, 'select (select count(*) from Seen) as s, (select count(*) from "Seen@1" as x) as t'
    )
    assert (both["s"], both["t"]) == (3, 3)
    joined = 'select count(distinct a.person_id) as n from Seen as a join "Bought it!" as b using (person_id)'
    assert _rows(analysis, joined) == [{"n": 1}]


def test_a_view_of_a_definition_takes_the_version_in_force_and_says_which(analysis: Analysis) -> None:
    analysis.define(definition("Went on", click="nav a.help"))
    analysis.define(definition("Went on", click="button.buy"), valid_from=DAY)
    answer = analysis.ask(SqlQuery('select label from "Went on"'))
    assert isinstance(answer, RowsAnswer)
    assert answer.rows() == [{"label": "Buy now"}]
    [note] = answer.notes
    assert note.startswith("'Went on' is version 2 of the site 'shop'")


def test_a_view_of_a_definition_that_several_sites_have_holds_the_events_of_each(analysis: Analysis) -> None:
    add_site(analysis.state, Site("other", "Other"))
    analysis.define(definition("Seen", view="/pricing"), site="shop")
    analysis.define(definition("Seen", view="/**"), site="other")
    assert len(_rows(analysis, "select site from Seen")) == 1
    answer = analysis.ask(SqlQuery("select site from Seen", site="other"))
    assert isinstance(answer, RowsAnswer)
    assert answer.rows() == []


def test_a_pivot_names_its_values(analysis: Analysis) -> None:
    with pytest.raises(InvalidInput, match="A PIVOT that does not name its values") as refused:
        _rows(analysis, "pivot events on type using count(*)")
    assert "in ('click', 'change')" in refused.value.hint
    text = "select * from (pivot (select type from events) on type in ('click', 'submit') using count(*))"
    [row] = _rows(analysis, text)
    assert row.keys() == {"click", "submit"}


def test_names_of_definitions_are_no_way_out_of_the_sandbox(analysis: Analysis) -> None:
    name = '"; drop view events; --'
    analysis.define(definition(name, view="/**", text="contains:'); select 1; -- $site"))
    assert _rows(analysis, f'select * from "{name.replace(chr(34), chr(34) * 2)}"') == []
    assert len(_rows(analysis, "from events")) > 1


def _rows(analysis: Analysis, text: str) -> list[dict[str, Any]]:
    answer = analysis.ask(SqlQuery(text))
    assert isinstance(answer, RowsAnswer)
    return answer.rows()
