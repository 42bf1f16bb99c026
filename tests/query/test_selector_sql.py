"""The SQL of selectors, word for word. A new case in the golden file is its selector; then
`UPDATE_GOLDEN=1 pytest tests/query/test_selector_sql.py` writes the SQL for you to read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from expost.errors import SelectorError
from expost.lake.batch import CHAIN_CUT, FOREIGN, ROOT, SHADOW_CHILD, Descriptor, Element
from expost.query.grain import ELEMENTS, PLACEMENTS, Grain
from expost.query.selector_parser import parse
from expost.query.selector_sql import compile_selector
from tests.query.markup import Captured, ElementLake, capture, parse_page

GOLDEN = Path(__file__).parents[1] / "golden" / "selectors.sql"
DOCUMENT = Path(__file__).parents[2] / "docs" / "selectors.md"


def written(selector: str) -> str:
    compiled = compile_selector(parse(selector), prefix="click")
    values = "".join(f"\n-- ${name} = {value!r}" for name, value in compiled.parameters.items())
    return compiled.statement(f"select {compiled.grain.id} from {compiled.surely}") + values


def test_the_golden_selectors_compile_to_the_golden_sql() -> None:
    selectors = [block for block in GOLDEN.read_text().strip().split("\n\n") if not block.startswith("with ")]
    expected = "\n\n".join(f"{selector}\n\n{written(selector)}" for selector in selectors) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(expected)
    assert GOLDEN.read_text() == expected


def test_the_text_of_a_selector_never_becomes_sql() -> None:
    nasty = "x'; drop table lake.elements; --\n*/"
    escaped = "".join(f"\\{ord(character):x} " for character in nasty)
    compiled = compile_selector(parse(f".{escaped}, #{escaped}, {escaped}, [{escaped}='{escaped}']"))
    assert compiled.parameters["selector_class"] == nasty
    for name, sql in compiled.ctes:
        assert re.fullmatch(r"[a-z0-9_]+", name)
        code = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
        assert "drop table" not in code


def test_a_prefix_is_a_plain_word() -> None:
    with pytest.raises(ValueError, match="no prefix"):
        compile_selector(parse("a"), prefix="a; b")


@pytest.mark.parametrize("name", ["cut", "chain", "surely", "possibly"])
def test_no_class_takes_the_name_of_an_expression(name: str) -> None:
    compiled = compile_selector(parse(f".{name} .{name} [{name}={name}]"))
    assert len(dict(compiled.ctes)) == len(compiled.ctes)
    assert dict(compiled.ctes)["selector_possibly"].endswith("from selector_cut")


def one_page() -> ElementLake:
    """A nav with two links, and a button in a form whose title is masked."""
    descriptors = [
        Descriptor("html"),
        Descriptor("nav", None, "menu"),
        Descriptor("a", "start", "link active", {"href": "/"}),
        Descriptor("a", None, "link", {"href": "/p?q=…"}, ["download"], 0, ["href"]),
        Descriptor("form", None, "signup", {"data-kind": "Big"}),
        Descriptor("button", None, "btn", {"type": "submit", "title": "Ask …"}, [], 0, ["title"]),
        Descriptor("span", None, None),
    ]
    elements = [
        Element(0, flags=4), Element(1, 0, 1, 2), Element(2, 1, 1, 2, 1, 2), Element(3, 1, 2, 2, 2, 2),
        Element(4, 0, 2, 2), Element(5, 4), Element(6, 5),
    ]  # fmt: skip
    return ElementLake(Captured(descriptors, elements))


@pytest.mark.parametrize(("selector", "surely", "possibly"), [
    ("form.signup button", [5, 6], [5, 6]),
    ("a", [2, 3], [2, 3]),
    ("a:not(.active)", [3], [3]),
    ('a[href="/p?q=tea"]', [], [3]),
    ('a[href="/q"]', [], []),
    ('a[href^="/p?q="]', [3], [3]),
    ("[download]", [3], [3]),
    ("[download=x]", [], [3]),
    ("a:not([download=x])", [2], [2, 3]),
    ('[title~="me"]', [], [5, 6]),
    ('[title~="Ask"]', [5, 6], [5, 6]),
    ('[title="Ask me"]', [], [5, 6]),
    ('[title="Tell me"]', [], []),
    ('[title^="Ask"]', [5, 6], [5, 6]),
    ('[title^="Ask me"]', [], [5, 6]),
    ('[title^="ask ME" i]', [], [5, 6]),
    ('[title^="Tell"]', [], []),
    ('[title$="me"]', [], [5, 6]),
    ('[title*="sk"]', [5, 6], [5, 6]),
    ('[title*="me"]', [], [5, 6]),
    ('[title|="Ask me"]', [], [5, 6]),
    ('[title|="Tell"]', [], []),
    ('[title="…"]', [], []),
    ('[title*="…"]', [], [5, 6]),
    ("[data-kind=big]", [], []),
    ("[data-kind=big i]", [4, 5, 6], [4, 5, 6]),
    ("nav > a:nth-child(2)", [3], [3]),
])  # fmt: skip
def test_targets_are_found_with_everything_inside_what_matches(
    selector: str, surely: list[int], possibly: list[int]
) -> None:
    lake = one_page()
    answers = lake.ask(selector)
    assert sorted(lake.ids.index(each) for each in answers.surely) == surely
    assert sorted(lake.ids.index(each) for each in answers.possibly) == possibly


def shadow_and_cut() -> ElementLake:
    """0 html > 1 my-card.host, in its shadow root 2 div.frame > 3 b; and 4 p.deep > 5 i, with the chain above p cut."""
    descriptors = [
        Descriptor("html"), Descriptor("my-card", None, "host"), Descriptor("div", None, "frame"), Descriptor("b"),
        Descriptor("p", None, "deep"), Descriptor("i"),
    ]  # fmt: skip
    elements = [
        Element(0, flags=ROOT), Element(1, 0), Element(2, 1, flags=SHADOW_CHILD), Element(3, 2),
        Element(4, -1, flags=CHAIN_CUT), Element(5, 4),
    ]  # fmt: skip
    return ElementLake(Captured(descriptors, elements))


@pytest.mark.parametrize(("selector", "pierce", "surely", "unknown"), [
    (".host .frame", False, [], []),
    (".host > .frame", False, [], []),
    (".host b", False, [], []),
    (".frame b", False, [3], []),
    (".host .frame", True, [2], []),
    (".host > .frame", True, [2], []),
    (".host b", True, [3], []),
    (":not(.host *)", False, [0, 1, 2, 3], [4, 5]),
    (":not(.host *)", True, [0, 1], [4, 5]),
    ("main i", False, [], [5]),
    ("main > i", False, [], []),
    ("main > p", False, [], [4]),
    ("main p i", False, [], [5]),
    ("p i", False, [5], []),
    ("p:not(main p)", False, [], [4]),
    ("html b", True, [3], []),
    (":root", False, [0], []),
])  # fmt: skip
def test_shadow_roots_and_cut_chains(
    selector: str, pierce: bool, surely: list[int], unknown: list[int]
) -> None:
    lake = shadow_and_cut()
    answers = {
        lake.ids.index(each): is_sure for each, is_sure in lake.ask(selector, pierce=pierce).matches.items()
    }
    assert sorted(each for each, is_sure in answers.items() if is_sure) == surely
    assert sorted(each for each, is_sure in answers.items() if not is_sure) == unknown


def test_a_target_whose_chain_was_cut_possibly_stands_inside_anything() -> None:
    lake = shadow_and_cut()
    answers = lake.ask("main")
    assert {lake.ids.index(each) for each in answers.possibly} == {4, 5}
    assert not answers.surely


LONG = (
    "<h2></h2><p></p><p class=early></p>" + "<p></p>" * 6 + "<p class=mark></p><b></b>" + "<p></p>" * 14
    + "<p class=subject></p>"
)  # fmt: skip
LIST = "<li></li>" * 25 + "<li class=subject></li>"
ALIKE = "<p></p>" * 5 + "<b></b>" + "<p></p>" * 19 + "<p class=subject></p>"
BETWEEN = "<b></b><p class=subject></p><b></b>"
LAST = "<b></b><p class=subject></p><p></p>"


@pytest.mark.parametrize(("page", "selector", "answer"), [
    (LONG, "p + .subject", True),
    (LONG, "h2 + .subject", False),
    (LONG, ".mark ~ .subject", True),
    (LONG, ".mark + b ~ p", True),
    (LONG, ".mark + p ~ p", None),
    (LONG, "h2 ~ .subject", None),
    (LONG, ".early ~ p", None),
    (LONG, ".early + p ~ .mark ~ p", None),
    (LONG, "p:not(.early ~ p)", None),
    (LONG, "p:not(.mark ~ p)", False),
    (LONG, ":is(.early, .mark) ~ p", True),
    (LONG, ".subject:not(.early ~ b + p)", True),
    (LONG, ":first-child ~ .subject", True),
    (LONG, "h2:first-child ~ .subject", None),
    (LONG, ":nth-child(2) + :nth-child(3) ~ .subject", None),
    (LONG, ".early:nth-child(10) ~ .subject", False),
    (LONG, ".early:nth-child(-n+9) ~ .subject", None),
    (LONG, ".early:nth-child(2n) ~ .subject", None),
    (LONG, ".early:nth-child(26) ~ .subject", False),
    (LONG, ".early:nth-last-child(22) ~ .subject", None),
    (LONG, ".early:nth-last-child(21) ~ .subject", False),
    (LONG, ".early:nth-last-child(-n+21) ~ .subject", False),
    (LONG, "b:only-of-type ~ p", None),
    (LONG, "b:last-of-type ~ p", True),
    (LONG, "p:nth-last-of-type(2) ~ p", True),
    (LONG, "p:nth-of-type(9) + b ~ p", True),
    (LONG, "p:nth-of-type(8) + b ~ p", False),
    (LONG, ":nth-child(2):not(:nth-child(n+2):nth-child(-n+5) ~ :nth-child(n+2)) ~ .subject", None),
    (LIST, "h2 ~ .subject", False),
    (LIST, "h2 + li ~ li ~ .subject", False),
    (LIST, "li:first-child ~ .subject", True),
    (LIST, "li:first-of-type + li ~ .subject", None),
    (LIST, "li:nth-last-of-type(26) ~ .subject", True),
    (LIST, ".active ~ .subject", None),
    (LIST, "li.active ~ .subject", None),
    (LIST, ":not(li) ~ .subject", False),
    (LIST, ":not(li, .active):first-child ~ .subject", False),
    (LIST, ":is(li, h2):not(p):first-child ~ .subject", True),
    (LIST, ".subject:not(li:first-child ~ li)", False),
    (LIST, ":root ~ .subject", False),
    (ALIKE, "b:first-of-type ~ .subject", True),
    (ALIKE, "b:only-of-type ~ .subject", True),
    (BETWEEN, "b:last-of-type + .subject", None),
    (BETWEEN, "b:nth-last-of-type(2) + .subject", None),
    (LAST, "b:last-of-type + .subject", True),
    (LAST, "b:nth-last-of-type(2) + .subject", False),
])  # fmt: skip
def test_siblings_that_were_not_captured_make_unknown_only_what_they_decide(
    page: str, selector: str, answer: bool | None
) -> None:
    tags = parse_page(f"<!doctype html><body><ul>{page}</ul>")
    lake = ElementLake(capture(tags))
    [subject] = [place for place, tag in enumerate(tags) if tag.get("class") == ["subject"]]
    assert lake.ask(selector).matches.get(lake.ids[subject], False) is answer


def test_of_namespaces_that_are_not_told_apart_no_type_is_counted() -> None:
    descriptors = [
        Descriptor("div"),
        Descriptor("a", state=FOREIGN),
        Descriptor("a", None, "x", state=FOREIGN),
    ]
    # Of the three the first and the last are of one namespace.
    elements = [Element(0, flags=ROOT), Element(2, 0, 3, 3, 2, 2, [1, 1])]
    lake = ElementLake(Captured(descriptors, elements))
    for selector, answer in [
        ("a:first-of-type + .x", None), ("a:nth-of-type(2) + .x", None), ("a:nth-of-type(3) + .x", False),
        ("a:only-of-type + .x", None), ("a:last-of-type ~ .x", None), ("a:nth-child(2) + .x", True),
    ]:  # fmt: skip
        assert lake.ask(selector).matches.get(lake.ids[1], False) is answer, selector


def documented() -> list[tuple[str, str, str]]:
    """The examples of docs/selectors.md: selector, markup of the whole body, ids that match."""
    rows = re.findall(r"^\| `` (.+?) `` \| `` (.+?) `` \| (.*?) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert len(rows) >= 15
    return rows


@pytest.mark.parametrize(("selector", "markup", "ids"), documented())
def test_the_examples_of_the_documentation_hold(selector: str, markup: str, ids: str) -> None:
    tags = parse_page(f"<!doctype html><body>{markup}")
    lake = ElementLake(capture(tags))
    found = lake.ask(selector).matches
    assert [
        tag["id"] for tag, each in zip(tags, lake.ids, strict=True) if each in found and tag.get("id")
    ] == ids.split()


def test_the_refusals_of_the_documentation_hold() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| `([^`]+)` \| ", DOCUMENT.read_text().split("## Refused")[1], re.MULTILINE
    )
    assert len(rows) >= 10
    for selector, token in rows:
        with pytest.raises(SelectorError) as refused:
            parse(selector.replace("\\|", "|"))
        assert refused.value.token == token.replace("\\|", "|")


@pytest.mark.parametrize(("selector", "grain"), [
    ("form.signup > button:not(.x *)", ELEMENTS),
    (":root :is(a, b:checked)", ELEMENTS),
    ("a + b", PLACEMENTS),
    ("a, b:first-child", PLACEMENTS),
    ("a:not(:is(.x ~ b) c)", PLACEMENTS),
    (":where(ul > :only-of-type) a", PLACEMENTS),
])  # fmt: skip
def test_only_what_asks_for_places_or_siblings_is_judged_by_them(selector: str, grain: Grain) -> None:
    assert compile_selector(parse(selector)).grain is grain


@pytest.mark.parametrize("lake", [one_page(), shadow_and_cut()], ids=["page", "shadow and cut"])
def test_what_asks_for_neither_has_the_same_answer_by_both(lake: ElementLake) -> None:
    for selector in (
        "a",
        "nav > a:not(.active)",
        "[title*=me]",
        ":not(main *)",
        "main p i",
        ".host b",
        ":root",
        "html *",
    ):
        for pierce in (False, True):
            by_elements, by_placements = (
                lake.ask(selector, pierce=pierce, grain=grain) for grain in (ELEMENTS, PLACEMENTS)
            )
            assert by_elements == by_placements, selector
