"""Why events are unknown: each reason with its count."""

from __future__ import annotations

from typing import Any, cast

import pytest

from expost.lake.batch import CHAIN_CUT, ROOT, Descriptor, Element
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.query.preview import Preview, PreviewAnswer
from expost.state.sites import Site, add_site
from tests.story import Story, click

MASKED = Descriptor("a", None, None, {"href": "/p?q=…"}, [], 0, ["href"])
NAMED = Descriptor("a", None, "link", {}, ["data-plan"])
CUT_CLASS = Descriptor("a", None, "link pri…", {}, [], 0, ["class"])
CUSTOM = Descriptor("my-field")
PLAIN = Descriptor("a", "buy")
MASKED_ID = Descriptor("p", "user-…", None, {}, [], 0, ["id"])

CUT = "was cut or masked"
BY_NAME = "is kept by name only"
FEW = "more than 20 siblings stand before it, and only the nearest are captured"


def target(descriptor: Descriptor, **element: Any) -> dict[str, Any]:
    """The tables of a batch whose third element, inside `html` and `body`, is that one; a paragraph stands before."""
    above: dict[str, Any] = {"parent": 1} | element
    return {
        "descriptors": [Descriptor("html"), Descriptor("body"), descriptor, MASKED_ID],
        "elements": [Element(0, flags=ROOT), Element(1, 0), Element(2, **above)],
    }


def preview(lake: Story, **what: Any) -> PreviewAnswer:
    analysis = Analysis(lake.path, threads=1)
    try:
        add_site(analysis.state, Site("shop", "Shop"))
        return cast(PreviewAnswer, analysis.ask(Preview(definition("It", **what))))
    finally:
        analysis.close()


@pytest.mark.parametrize(("tables", "selector", "reasons"), [
    (target(MASKED), "[href='/p?q=tea']", [("not_whole", f"href {CUT}")]),
    (target(NAMED), "[data-plan=pro]", [("name_only", f"data-plan {BY_NAME}")]),
    (target(NAMED), "a:not([data-plan=pro], .other)", [("name_only", f"data-plan {BY_NAME}")]),
    (target(CUT_CLASS), "body > .primary", [("not_whole", f"class {CUT}")]),
    (target(CUSTOM), ":enabled", [("state", "whether :enabled held is not captured")]),
    (target(PLAIN, parent=-1, flags=CHAIN_CUT), "main #buy", [("chain", "the outer part of its chain was cut off")]),
    (target(PLAIN, index=30, count=30), ".early ~ a", [("siblings", FEW)]),
    (target(PLAIN, index=2, count=2, previous=[3]), "#user-7 + a", [("not_whole", f"id {CUT}")]),
    (
        target(NAMED, index=30, count=30),
        ".early ~ a[data-plan=pro]",
        [("name_only", f"data-plan {BY_NAME}"), ("siblings", FEW)],
    ),
])  # fmt: skip
def test_a_selector_that_needs_what_is_not_known_says_so(
    lake: Story, tables: dict[str, Any], selector: str, reasons: list[tuple[str, str]]
) -> None:
    lake.capture("ann", click("a"), at="10:00", **tables)
    lake.capture("bob", click("a"), at="10:00", **tables)
    lake.capture("cy", click("b"), at="10:00")
    answer = preview(lake, click=selector)
    assert answer.unknown == 2
    assert [(each.reason, each.says, each.events) for each in answer.unknown_reasons] == [
        (*reason, 2) for reason in reasons
    ]


def test_a_text_that_was_cut_is_a_reason(lake: Story) -> None:
    lake.capture("ann", click("a", label="Call …", marks=["label"]), at="10:00")
    answer = preview(lake, click="a", text="Call Ann")
    assert [each.says for each in answer.unknown_reasons] == ["a text or an address was cut or masked"]


def test_what_is_known_of_all_events_has_no_reasons(lake: Story) -> None:
    lake.capture("ann", click("a"), at="10:00")
    assert preview(lake, click="a").unknown_reasons == ()
