"""PostHog's chains as elements of ours: what they say is exact, what they leave out is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import expost
from expost.history.elements_chain import parse, read_chain
from expost.lake.batch import CHAIN_CUT
from tests.history.importing import imported

BUTTON = (
    'span:nth-child="1"nth-of-type="1"text="Buy now";'
    'button.btn.primary:attr__class="btn primary"attr__data-id="7"attr__id="buy"attr__type="submit"'
    'nth-child="3"nth-of-type="2";'
    'form.signup:attr__action="/join"attr__class="signup"nth-child="2"nth-of-type="1";'
    'body:nth-child="2"nth-of-type="1"'
)


def test_a_chain_is_read_from_the_target_outwards() -> None:
    links, problem = parse(BUTTON)
    assert not problem
    assert [link.tag for link in links] == ["span", "button", "form", "body"]
    assert links[1].said["attr__data-id"] == "7"


def test_quotes_semicolons_colons_and_classes_with_colons_are_read_as_they_are_written() -> None:
    written = (
        'a.md:flex.w-1/2:attr__class="md:flex w-1/2"attr__title="a \\"b\\"; c:d"nth-child="1"nth-of-type="1";'
        'body:nth-child="2"nth-of-type="1"'
    )
    (first, last), _ = parse(written)
    assert (first.tag, first.said["attr__title"], first.said["attr__class"]) == (
        "a",
        'a "b"; c:d',
        "md:flex w-1/2",
    )
    assert last.tag == "body"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"C:\dir\new", r"C:\dir\new"),
        (r"say \"x; y\"", 'say "x; y"'),
        ("a;b:c=d", "a;b:c=d"),
        ('nth-child=\\"9\\"', 'nth-child="9"'),
        ("", ""),
    ],
    ids=["backslashes", "quotes", "separators", "a name of PostHog's", "empty"],
)
def test_a_value_is_what_was_written_before_its_quotes_were_escaped(written: str, value: str) -> None:
    (link,), problem = parse(f'a:attr__title="{written}"nth-child="1"nth-of-type="1"')
    assert (link.said["attr__title"], problem) == (value, "")


def test_classes_beside_the_tag_count_where_the_attribute_is_missing() -> None:
    read = read_chain('a.buy.now:nth-child="1"nth-of-type="1"')
    assert read.chain.descriptors[-1].class_name == "buy now"


@pytest.mark.parametrize(
    "written",
    ["!", ":nth-child=1", 'a:nth-child="1" x', 'a:nth-of-type="1"', 'a:nth-child="x"nth-of-type="1"',
     'a:attr__data-path="C:\\"nth-child="1"nth-of-type="1"', "a:nth-chi"],
)  # fmt: skip
def test_of_a_chain_whose_target_cannot_be_read_nothing_is_known(written: str) -> None:
    read = read_chain(written)
    assert read.problem
    assert [element.flags for element in read.chain.elements] == [CHAIN_CUT]


@pytest.mark.parametrize("length", range(60, len(BUTTON), 7))
def test_wherever_a_chain_is_cut_off_what_stands_before_is_read(length: int) -> None:
    whole, cut = read_chain(BUTTON), read_chain(BUTTON[:length])
    read = [each.tag for each in cut.chain.descriptors]
    assert read == [each.tag for each in whole.chain.descriptors][-len(read) :]
    assert cut.chain.elements[0].flags == CHAIN_CUT


def test_values_of_fields_styles_and_handlers_are_never_taken() -> None:
    read = read_chain(
        'input:attr__onclick="x()"attr__style="a"attr__value="secret"attr__width="3"nth-child="1"nth-of-type="1"'
    )
    target = read.chain.descriptors[-1]
    assert (dict(target.attributes), target.names) == ({}, ["width"])


@pytest.mark.parametrize(
    ("selector", "matches", "unknown"),
    [
        ("form.signup button", 1, 0),
        ("form.signup > button.primary", 1, 0),
        ("#buy", 1, 0),
        ("button[type=submit]", 1, 0),
        ("button[data-id='7']", 1, 0),
        ("html > body form", 1, 0),
        ("button:nth-child(3)", 1, 0),
        ("button:nth-of-type(2)", 1, 0),
        ("button:nth-child(2)", 0, 0),
        (".dark button", 0, 0),
        ("button:last-child", 0, 1),
        ("button:not(:last-child)", 0, 1),
        ("button:nth-last-of-type(4)", 0, 1),
        ("button:only-child", 0, 0),
        ("span:only-child", 0, 1),
        ("span:only-of-type", 0, 1),
        ("h2 + button", 0, 1),
        ("* + button", 1, 0),
        ("* + span", 0, 0),
        (":nth-last-child(9) + button", 0, 1),
        (":nth-last-child(1) + button", 0, 0),
        ("button:nth-last-of-type(9) ~ button", 0, 1),
    ],
)
def test_a_selector_is_answered_where_the_chain_tells_and_unknown_where_it_does_not(
    posthog_click: Path, selector: str, matches: int, unknown: int
) -> None:
    answer = expost.open(posthog_click).preview(click=selector)
    assert (answer.events, answer.unknown) == (matches, unknown)


def test_unknown_says_that_siblings_were_not_counted(posthog_click: Path) -> None:
    answer = expost.open(posthog_click).preview(click="button:last-child")
    assert [each.reason for each in answer.unknown_reasons] == ["count"]


@pytest.mark.parametrize(
    ("selector", "matches", "unknown"),
    [
        ("button", 1, 1),
        ("#buy", 1, 1),
        ("form.signup button", 0, 2),
        (".dark", 0, 2),
        ("button:not(.dark *)", 0, 2),
        ("body a", 0, 2),
        ("span:nth-child(1)", 1, 1),
    ],
)
def test_a_chain_that_was_cut_at_1024_characters_answers_unknown_and_not_no(
    cut_clicks: Path, selector: str, matches: int, unknown: int
) -> None:
    answer = expost.open(cut_clicks).preview(click=selector)
    assert (answer.events, answer.unknown) == (matches, unknown)


def test_where_a_chain_was_cut_is_counted_in_the_report(tmp_path: Path) -> None:
    report = imported(tmp_path / "data", "posthog", [clicked(1, "a:nth-chi")], is_dry_run=True)
    assert list(report.left_behind) == ["element: an element of its elements_chain has no nth-child, at …"]


def clicked(number: int, chain: str) -> dict[str, Any]:
    """A row of PostHog's."""
    return {
        "uuid": f"018f0000-0000-7000-8000-{number:012}",
        "event": "$autocapture",
        "timestamp": "2026-03-02T10:00:00.000Z",
        "distinct_id": "ann",
        "properties": {
            "$event_type": "click",
            "$current_url": "https://shop.example/join",
            "$device_id": "ann",
        },
        "elements_chain": chain,
    }


@pytest.fixture(scope="module")
def posthog_click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("posthog") / "data"
    imported(folder, "posthog", [clicked(1, BUTTON)])
    return folder


@pytest.fixture(scope="module")
def cut_clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clicks whose chains were cut: one behind the button, one in the attributes of the target."""
    folder = tmp_path_factory.mktemp("cut") / "data"
    start, _, rest = BUTTON.partition(";form")
    padding = f'div:attr__title="{"x" * 900}"nth-child="1"nth-of-type="1"'
    long = f"{start};{padding};form{rest}"
    target = f'a:attr__title="{"y" * 1_100}"nth-child="1"nth-of-type="1";body:nth-child="2"nth-of-type="1"'
    imported(folder, "posthog", [clicked(1, long[:1_024]), clicked(2, target[:1_024])])
    return folder
