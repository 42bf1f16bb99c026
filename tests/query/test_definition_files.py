"""Definitions as files: what is written, what is read, what is refused with its line, and what applying them does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.errors import InvalidInput
from expost.lake.folder import open_folder
from expost.query.alternative import Alternative
from expost.query.analysis import Analysis
from expost.query.calendar import Calendar
from expost.query.definition import Definition, definition
from expost.query.definition_file import FiledDefinition, parse_file, write_file
from expost.query.interval import Interval
from expost.query.pattern import Pattern, QueryParameter
from expost.query.property_match import PropertyMatch
from expost.query.saved import check_definition
from expost.query.toml_file import file_name
from expost.state.definitions import SHELF
from expost.state.details import Details, detail_history
from expost.state.sites import Site, add_site

UTC_DAYS = Calendar(ZoneInfo("UTC"))
REDESIGN = date(2026, 3, 1)


@pytest.fixture
def analysis(empty_folder: Path) -> Iterator[Analysis]:
    opened = Analysis(open_folder(empty_folder, create=True).path)
    add_site(opened.state, Site("shop", "Shop"))
    add_site(opened.state, Site("other", "Other"))
    yield opened
    opened.close()


def _define_some(analysis: Analysis) -> None:
    save: dict[str, Any] = {"site": "shop", "author": "ann"}
    analysis.define(definition("Signed up", click="form button", text="contains:Sign"), **save)
    analysis.define(definition("Signed up", click="form .go"), valid_from=REDESIGN, **save)
    many = definition(
        "Größe = gewählt?",
        change="select[name='size']",
        view=["/a/**", "/b"],
        query={"plan": "is/i:Pro", "ref": None},
        properties=[
            PropertyMatch("n", "above", 3),
            PropertyMatch("gone", "is", None),
            PropertyMatch("x", "exists"),
        ],
    )
    analysis.define(many, **save)
    analysis.define(definition("CON", track="a"), **save)
    analysis.describe("con", site="shop", owner="bob", tags=["z", "a"], note="Two\nlines", archived=True)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_exported_applied_elsewhere_and_exported_again_gives_equal_bytes(
    analysis: Analysis, tmp_path: Path
) -> None:
    _define_some(analysis)
    first, second = tmp_path / "first", tmp_path / "second"
    analysis.export_definitions(first, site="shop")
    plan = analysis.plan_definitions(first, site="other")
    assert [each.kind for each in plan.planned] == ["new"] * 3
    analysis.apply_definitions(plan, author="bob")
    analysis.export_definitions(second, site="other")
    assert _bytes(first) == _bytes(second)
    assert len(_bytes(first)) == 3
    assert analysis.plan_definitions(first, site="shop").changes == ()
    assert analysis.history("Signed up", site="other")[0]["author"] == "bob"


def test_a_second_export_touches_no_file(analysis: Analysis, tmp_path: Path) -> None:
    _define_some(analysis)
    analysis.export_definitions(tmp_path, site="shop")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.toml")}
    assert not any(each.is_written for each in analysis.export_definitions(tmp_path, site="shop"))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.toml")} == before


def test_comments_and_the_chosen_file_name_stay_when_a_definition_changes(
    analysis: Analysis, tmp_path: Path
) -> None:
    analysis.define(definition("Paid", click="a.buy"), site="shop")
    mine = tmp_path / "money.toml"
    mine.write_text(
        '# What pays us\nname = "Paid"  # never rename\n\n# by the button\n[[alternatives]]\n'
        'types = ["click"]\nselector = "a.buy"  # since 2024\n'
    )
    analysis.export_definitions(tmp_path, site="shop")
    assert "# since 2024" in mine.read_text()
    analysis.define(definition("Paid", click="a.pay"), site="shop")
    analysis.describe("Paid", site="shop", owner="ann")
    analysis.export_definitions(tmp_path, site="shop")
    assert mine.read_text() == (
        '# What pays us\nname = "Paid"  # never rename\nowner = "ann"\n\n# by the button\n[[alternatives]]\n'
        'types = ["click"]\nselector = "a.pay"  # since 2024\n'
    )
    assert [path.name for path in tmp_path.glob("*.toml")] == ["money.toml"]


WRONG = {
    '[[alternatives]]\ntypes = ["click"]\nselektor = "a"': ("line 4", "'selektor'", "selector"),
    'ower = "ann"\n[[alternatives]]\ntypes = ["click"]': ("line 2", "'ower'", "owner"),
    '[[alternatives]]\ntypes = ["click"]\nselector = "a:hover"': ("line 4", "':hover'", ""),
    '[[alternatives]]\ntext = """a\nselector = 1\n"""\nselector = 1': ("line 6", "selector is 1", "text"),
    '[[alternatives]]\ntext = "matches:("': ("line 2", "cannot be read", "RE2"),
    "[[alternatives]]\npierce = true": ("line 2", "without any condition", "type"),
    "alternatives = []": ("line 2", "0 alternatives", ""),
    'owner = "ann"': ("line 1", "either alternatives or versions", ""),
    '[[versions]]\nvalid_from = 2026-02-01\nvalid_until = 2026-02-01\n[[versions.alternatives]]\ntypes = ["click"]':
        ("line 4", "no time at all", ""),
    '[[alternatives]]\ntypes = ["click"]\nproperties = [\n  { name = "n", operator = "above", value = "x" },\n]':
        ("line 4", "'above'", "number"),
    "[[alternatives]\ntypes = 3": ("line 2", "no TOML", ""),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_refused_with_its_line_and_nothing_is_changed(
    analysis: Analysis, tmp_path: Path, wrong: str
) -> None:
    good = 'name = "Good"\n[[alternatives]]\ntypes = ["click"]\n'
    (tmp_path / "a-good.toml").write_text(good)
    (tmp_path / "wrong.toml").write_text(f'name = "Wrong"\n{wrong}\n')
    line, message, hint = WRONG[wrong]
    with pytest.raises(InvalidInput) as refusal:
        analysis.plan_definitions(tmp_path, site="shop")
    assert refusal.value.message.startswith(f"wrong.toml, {line}: ")
    assert message in refusal.value.message
    assert hint in refusal.value.hint
    assert analysis.definitions(site="shop") == []


def test_two_files_of_one_name_are_refused(analysis: Analysis, tmp_path: Path) -> None:
    for file, name in (("a.toml", "Paid"), ("b.toml", "ＰＡＩＤ")):
        (tmp_path / file).write_text(
            f'name = "{name}"\n[[alternatives]]\ntypes = ["click"]\n', encoding="utf-8"
        )
    with pytest.raises(InvalidInput, match=r"a\.toml and b\.toml both define"):
        analysis.plan_definitions(tmp_path, site="shop")


def test_the_plan_names_what_is_new_changed_archived_and_without_a_file(
    analysis: Analysis, tmp_path: Path
) -> None:
    for name in ("Kept", "Changed", "Old", "Lost"):
        analysis.define(definition(name, track=name), site="shop")
    analysis.export_definitions(tmp_path, site="shop")
    (tmp_path / "lost.toml").unlink()
    _edit(tmp_path / "changed.toml", 'event_name = "Changed"', 'event_name = "Other"')
    _edit(tmp_path / "old.toml", 'name = "Old"\n', 'name = "Old"\narchived = true\n')
    (tmp_path / "new.toml").write_text('name = "New"\n[[alternatives]]\ntypes = ["click"]\n')
    plan = analysis.plan_definitions(tmp_path, site="shop")
    assert {each.name: each.kind for each in plan.planned} == {
        "Kept": "same", "Changed": "changed", "Old": "archived", "New": "new",
    }  # fmt: skip
    assert plan.without_file == ("Lost",)
    [changed] = [each for each in plan.planned if each.name == "Changed"]
    assert changed.lines == ("- custom event Changed", "+ custom event Other")
    analysis.apply_definitions(plan, author="ann")
    assert [each.name for each in analysis.definitions(site="shop")] == ["Changed", "Kept", "Lost", "New"]
    assert [each.name for each in analysis.definitions(site="shop", archived=True)] == ["Old"]
    [change] = detail_history(analysis.state, SHELF, "shop", "Old")
    assert (change.detail, change.value, change.author) == ("archived", True, "ann")
    analysis.apply_definitions(analysis.plan_definitions(tmp_path, site="shop", archives_missing=True))
    assert [each.name for each in analysis.definitions(site="shop")] == ["Changed", "Kept", "New"]


def test_a_definition_that_changed_since_the_plan_stops_all_of_it(analysis: Analysis, tmp_path: Path) -> None:
    _define_some(analysis)
    analysis.export_definitions(tmp_path, site="shop")
    plan = analysis.plan_definitions(tmp_path, site="other")
    analysis.define(definition("Signed up", click="a"), site="other")
    with pytest.raises(InvalidInput, match="has changed since the plan"):
        analysis.apply_definitions(plan)
    assert [each.name for each in analysis.definitions(site="other")] == ["Signed up"]


def test_files_with_narrower_versions_end_the_versions_before_them(
    analysis: Analysis, tmp_path: Path
) -> None:
    analysis.define(definition("Paid", track="a"), site="shop")
    (tmp_path / "paid.toml").write_text(
        'name = "Paid"\n[[versions]]\nvalid_from = 2026-03-01\n[[versions.alternatives]]\ntypes = ["click"]\n'
    )
    analysis.apply_definitions(analysis.plan_definitions(tmp_path, site="shop"))
    assert analysis.plan_definitions(tmp_path, site="shop").changes == ()
    [gap] = analysis._resolve("shop", "Paid", None).gaps
    assert str(gap) == "until 2026-03-01 00:00 UTC"


def test_names_of_files_are_safe_on_every_system_and_differ() -> None:
    names = [
        "Signed up",
        "Signed up!",
        "signed-up",
        "CON",
        "con!",
        "nul",
        "登録",
        "../../etc",
        "a" * 200,
        "a" * 199,
        ".",
        "Ⅷ",
    ]
    files = [file_name(name) for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    for file in files:
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,70})\.toml", file)
        assert file.removesuffix(".toml") not in {"con", "nul"}
    assert file_name("ＳＩＧＮＥＤ  up") == "signed-up.toml"


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
patterns = st.builds(
    Pattern, st.sampled_from(["is", "contains", "prefix"]), words | st.just("a\nb"), st.booleans()
)
values = (
    words | st.integers(-(10**12), 10**12) | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
)
alternatives = st.builds(
    Alternative,
    types=st.just(("click",)),
    text=st.none() | patterns,
    path=st.none() | patterns,
    event_name=st.none() | words,
    query=st.lists(st.builds(QueryParameter, words, st.none() | patterns), max_size=2).map(tuple),
    properties=st.lists(
        st.builds(PropertyMatch, words, st.just("is"), st.none() | values)
        | st.builds(PropertyMatch, words, st.just("exists")),
        max_size=2,
    ).map(tuple),
)
moments = st.none() | st.integers(0, 2 * 10**15)


def _is_some_time(sides: tuple[int | None, int | None]) -> bool:
    start, end = sides
    return start is None or end is None or start < end


versions = st.builds(
    lambda alternatives, sides: Definition("x", tuple(alternatives), interval=Interval(*sides)),
    st.lists(alternatives, min_size=1, max_size=2),
    st.tuples(moments, moments).filter(_is_some_time),
)
filed_definitions = st.builds(
    FiledDefinition,
    words.filter(str.strip),
    st.lists(versions, min_size=1, max_size=2).map(tuple),
    st.builds(
        Details, words, st.lists(words, max_size=2).map(tuple), words | st.just('a\n"""b'), st.booleans()
    ),
)


@given(filed_definitions, filed_definitions)
def test_what_is_written_is_read_again_whatever_stood_there(
    one: FiledDefinition, other: FiledDefinition
) -> None:
    text = write_file(one)
    read = parse_file(text, "x.toml", UTC_DAYS)
    assert (read.name, read.details, read.meanings()) == (one.name, one.details, one.meanings())
    assert write_file(read) == text
    over = parse_file(write_file(one, write_file(other)), "x.toml", UTC_DAYS)
    assert over.meanings() == one.meanings()
    assert over.details == one.details


def test_days_in_files_are_those_of_the_site() -> None:
    text = 'name = "x"\n[[versions]]\nvalid_from = 2026-03-01\n[[versions.alternatives]]\ntypes = ["click"]\n'
    read = parse_file(text, "x.toml", Calendar(ZoneInfo("Asia/Tokyo")), check_definition)
    assert read.versions[0].interval.to_json() == {
        "valid_from": datetime(2026, 2, 28, 15, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    }


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
