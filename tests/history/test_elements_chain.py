"""PostHog's chains as elements of ours: what they say is exact, what they leave out is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

import expost
from expost.history.elements_chain import parse, read_chain
from expost.history.foreign import Unusable
from tests.history.importing import imported

BUTTON = (
    'span:nth-child="1"nth-of-type="1"text="Buy now";'
    'button.btn.primary:attr__class="btn primary"attr__data-id="7"attr__id="buy"attr__type="submit"'
    'nth-child="3"nth-of-type="2";'
    'form.signup:attr__action="/join"attr__class="signup"nth-child="2"nth-of-type="1";'
    'body:nth-child="2"nth-of-type="1"'
)


def test_a_chain_is_read_from_the_target_outwards() -> None:
    links = parse(BUTTON)
    assert [link.tag for link in links] == ["span", "button", "form", "body"]
    assert links[1].said["attr__data-id"] == "7"


def test_quotes_semicolons_colons_and_classes_with_colons_are_read_as_they_are_written() -> None:
    written = (
        'a.md:flex.w-1/2:attr__class="md:flex w-1/2"attr__title="a \\"b\\"; c:d"nth-child="1"nth-of-type="1";'
        'body:nth-child="2"nth-of-type="1"'
    )
    first, last = parse(written)
    assert (first.tag, first.said["attr__title"], first.said["attr__class"]) == (
        "a",
        'a "b"; c:d',
        "md:flex w-1/2",
    )
    assert last.tag == "body"


@pytest.mark.parametrize(
    "written",
    ["", ":nth-child=1", 'a:nth-child="1" x', 'a:nth-of-type="1"', 'a:nth-child="x"nth-of-type="1"'],
)
def test_a_chain_that_cannot_be_read_as_a_whole_is_refused(written: str) -> None:
    with pytest.raises(Unusable):
        read_chain(written)


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


@pytest.fixture(scope="module")
def posthog_click(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("posthog") / "data"
    row = {
        "uuid": "018f0000-0000-7000-8000-000000000001",
        "event": "$autocapture",
        "timestamp": "2026-03-02T10:00:00.000Z",
        "distinct_id": "ann",
        "properties": {
            "$event_type": "click",
            "$current_url": "https://shop.example/join",
            "$device_id": "ann",
        },
        "elements_chain": BUTTON,
    }
    imported(folder, "posthog", [row])
    return folder
