"""Selectors against two others: soupsieve on whole pages, and a slow matcher of our own where parts are unknown."""

from __future__ import annotations

import re

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soupsieve import compile as soupsieve_compile

from expost.lake.batch import CHAIN_CUT, SHADOW_CHILD, Element
from expost.query.selector_parser import parse
from tests.query.markup import Captured, ElementLake, capture, parse_page
from tests.query.selector_oracle import Row, SelectorOracle
from tests.query.selector_strategies import css_selectors, markup

RELAXED = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@RELAXED
@given(page=markup(), selectors=st.lists(css_selectors(), min_size=4, max_size=8))
def test_a_selector_finds_what_soupsieve_finds(page: str, selectors: list[str]) -> None:
    tags = parse_page(f"<!doctype html>{page}")
    lake = ElementLake(capture(tags))
    for text in selectors:
        found = lake.ask(text).matches
        theirs = soupsieve_compile(text)
        for tag, placement_id in zip(tags, lake.ids, strict=True):
            # Elements that stand alike are one element of the dictionary; they match alike.
            answer = found.get(placement_id, False)
            if answer is None and re.search("[+~]", text) and re.search("(last|only)-of-type", text):
                continue  # what stands after an element is not captured, and may be of its sibling's type
            assert answer is theirs.match(tag), f"{text} on {tag}"


def hidden(text: str | None, cuts: list[tuple[int, int]]) -> str | None:
    """`text` with stretches of it replaced by `…`."""
    if text is None:
        return None
    for start, length in cuts:
        text = text[:start] + "\0" + text[start + length :]
    return re.sub("\0+", "…", text)


@st.composite
def pages_with_secrets(draw: st.DrawFn) -> tuple[Captured, Captured]:
    """The same page whole, and as captured with cut chains, shadow trees, masked and dropped values."""
    whole = capture(parse_page(draw(markup())), is_quirks=draw(st.booleans()))
    # Not html, head and body; some element is always there, and as often as not it is a child of a shadow root.
    inside = range(3, len(whole.elements))
    shadows = draw(st.sets(st.sampled_from(inside), max_size=len(inside) // 2 + 1))
    elements = [
        msgspec.structs.replace(each, flags=each.flags | SHADOW_CHILD)
        if place in shadows else each
        for place, each in enumerate(whole.elements)
    ]  # fmt: skip
    whole = Captured(whole.descriptors, elements)
    nearest = draw(st.sampled_from([0, 1, 2, 20, 20]))
    elements = [msgspec.structs.replace(each, previous=each.previous[:nearest]) for each in elements]
    descriptors = []
    for each in whole.descriptors:
        marks = set(draw(st.sets(st.sampled_from(["id", "class", "title", "data-a", "href"]), max_size=2)))
        by_name = set(draw(st.sets(st.sampled_from(["title", "data-a", "type"]), max_size=1)))
        cuts = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=2))
        attributes = {
            name: hidden(value, cuts) if name in marks else value
            for name, value in each.attributes.items() if name not in by_name
        }  # fmt: skip
        present = {"id": each.dom_id, "class": each.class_name, **attributes}
        descriptors.append(msgspec.structs.replace(
            each,
            dom_id=hidden(each.dom_id, cuts) if "id" in marks else each.dom_id,
            class_name=hidden(each.class_name, cuts) if "class" in marks else each.class_name,
            attributes=attributes,
            names=sorted(by_name & each.attributes.keys()),
            marks=sorted(name for name in marks if present.get(name) is not None),
        ))  # fmt: skip
    cut_at = draw(st.sampled_from([0, *inside]))
    return whole, Captured(descriptors, cut(elements, cut_at) if draw(st.booleans()) else elements)


def cut(elements: list[Element], place: int) -> list[Element]:
    """The chain of the element at `place`, and so of all inside it, cut above it."""
    if place >= len(elements):
        return elements
    above = msgspec.structs.replace(elements[place], parent=-1, flags=elements[place].flags | CHAIN_CUT)
    return [*elements[:place], above, *elements[place + 1 :]]


@RELAXED
@given(
    pages=pages_with_secrets(),
    selectors=st.lists(css_selectors(), min_size=4, max_size=8),
    pierce=st.booleans(),
)
def test_what_is_hidden_makes_unknown_and_never_a_wrong_answer(
    pages: tuple[Captured, Captured], selectors: list[str], pierce: bool
) -> None:
    whole, partial = pages
    lake, full = ElementLake(partial), ElementLake(whole)
    oracle = SelectorOracle(lake.descriptors, lake.placements, pierce=pierce)
    truth = SelectorOracle(full.descriptors, full.placements, pierce=pierce)
    for text in selectors:
        selector = parse(text)
        answers = lake.ask(text, pierce=pierce)
        for placement_id, whole_id in zip(lake.ids, full.ids, strict=True):
            ours = answers.matches.get(placement_id, False)
            assert ours in (None, truth.element(selector, whole_id)), f"{text}: a wrong answer"
            expected = oracle.element(selector, placement_id)
            assert ours is expected or ours is None, f"{text}: {ours} instead of {expected}"
            if (
                "=" not in text
                and "(" not in text
                and not is_about_uncaptured(text, oracle.placements[placement_id])
            ):
                assert ours is expected, f"{text}: unknown without need"
        # Targets and subjects follow from the answers for elements.
        chains = {each: [each, *oracle.placements[each]["ancestors"]] for each in lake.ids}
        found = {
            each: [above for above in chain if answers.matches.get(above)] for each, chain in chains.items()
        }
        assert answers.subjects == {each: matches[0] for each, matches in found.items() if matches}
        assert answers.surely == set(answers.subjects)
        assert answers.possibly == {
            each
            for each, chain in chains.items()
            if not set(chain).isdisjoint(
                answers.matches.keys() | {above for above in chain if oracle.placements[above]["is_cut"]}
            )
        }
        if not any(is_about_uncaptured(text, oracle.placements[each]) for each in lake.ids):
            assert answers.surely == {each for each in lake.ids if oracle.target(selector, each) is True}


def is_about_uncaptured(text: str, standing: Row) -> bool:
    """Whether siblings that were not captured may decide: the SQL takes several of them for one."""
    return (
        bool(re.search("[+~]", text)) and len(standing["previous_siblings"]) < standing["sibling_index"] - 1
    )


def test_with_target_only_the_target_itself_must_match() -> None:
    tags = parse_page('<p class="a b"><b class="a"><i></i></b></p>')
    lake = ElementLake(capture(tags))
    answers = lake.ask(".a", target_only=True)
    assert [tag.name for tag, each in zip(tags, lake.ids, strict=True) if each in answers.surely] == [
        "p",
        "b",
    ]
    assert answers.possibly == answers.surely == set(answers.matches)
    assert answers.subjects == {each: each for each in answers.surely}
