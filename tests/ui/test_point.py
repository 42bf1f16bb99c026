"""What the page "Point at it" asks the server for, and what it says to those without scripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from expost.query.live import Live, LiveAnswer
from tests.ui.stand_in import OTHER, SITE, StandIn, create_app


def client(stand_in: StandIn | None = None, **options: Any) -> TestClient:
    return TestClient(create_app(stand_in or StandIn(), **options))


def part(text: str, selector: str) -> Tag:
    """The first element of a page that matches; a page that browsers without scripts read."""
    found = BeautifulSoup(text, "html.parser").select_one(selector)
    assert found
    return found


def level(tag: str, **said: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "tag": tag, "dom_id": None, "classes": [], "attributes": {}, "index": 1, "count": 1, "type_index": 1,
        "type_count": 1, "is_shadow_child": False,
    }  # fmt: skip
    return base | said


def test_the_page_offers_the_page_seen_last_and_the_tag_with_the_word() -> None:
    page = client().get("/point").text
    assert part(page, "#page")["value"] == "https://shop.example/tea/sencha"
    assert 'data-also="definer"' in part(page, "#tag-line").get_text()
    assert part(page, "form[data-point]")["data-origin"] == "http://127.0.0.1:8000"


def test_the_window_that_it_opens_may_keep_its_opener_and_no_other_page_lets_go_of_it() -> None:
    assert client().get("/point").headers["cross-origin-opener-policy"] == "same-origin-allow-popups"
    assert client().get("/define").headers["cross-origin-opener-policy"] == "same-origin"


def test_without_scripts_it_says_what_to_do_instead() -> None:
    assert "open a click in the live events" in part(client().get("/point").text, "noscript").get_text()


def test_an_address_may_be_given_and_is_only_text() -> None:
    page = client().get("/point", params={"page": '"><script>'}).text
    assert part(page, "#page")["value"] == '"><script>'


def test_a_chain_gets_a_selector_for_each_level() -> None:
    chain = [
        level("b"),
        level("button", classes=["go"]),
        level("form", dom_id="signup"),
        level("body"),
        level("html"),
    ]
    answer = client().post("/point/selectors.json", json={"chain": chain})
    assert answer.json() == ["#signup b", "#signup button.go", "#signup", "body", "html"]


def test_what_is_chosen_gets_ranked_selectors_with_reasons() -> None:
    stand_in = StandIn()
    meant = {
        "chain": [level("b"), level("button", classes=["go"])],
        "level": 1,
        "kind": "click",
        "page": "shop.example/",
        "text": "Buy now",
    }
    ranked = client(stand_in).post("/point/suggestions.json", json=meant).json()
    assert set(ranked[0]) == {"selector", "text", "reason", "used", "of"}
    [(_, asked)] = stand_in.asked
    assert (asked.level, asked.kind, asked.page, len(asked.chain)) == (1, "click", "shop.example/", 2)
    assert asked.text == "Buy now"


def test_words_that_capture_would_have_masked_are_not_asked_for() -> None:
    stand_in = StandIn()
    meant = {
        "chain": [level("a")],
        "level": 0,
        "kind": "click",
        "page": "",
        "text": "Write to ann@shop.example",
    }
    client(stand_in).post("/point/suggestions.json", json=meant)
    [(_, asked)] = stand_in.asked
    assert asked.text is None


@pytest.mark.parametrize(
    "wrong", [{"level": 2}, {"level": -1}, {"kind": "page_view"}, {"chain": []}, {"more": 1}]
)
def test_a_choice_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    meant = {"chain": [level("b"), level("button")], "level": 1, "kind": "click", "page": ""} | wrong
    assert client().post("/point/suggestions.json", json=meant).status_code in (400, 422)


def test_what_the_collector_masks_is_no_part_of_a_suggestion() -> None:
    secret = level(
        "a", classes=["mail"], attributes={"aria-label": "Write to ann@shop.example", "data-testid": "u?t=1"}
    )
    assert client().post("/point/selectors.json", json={"chain": [secret]}).json() == ["a.mail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"chain": "x"},
        {"chain": [{"tag": "a"}]},
        {"chain": [level("a")] * 201},
        {"chain": [level("a" * 1_001)]},
    ],
)
def test_a_chain_that_no_page_has_is_refused(body: Any) -> None:
    assert client().post("/point/selectors.json", json=body).status_code in (400, 422)


def test_what_was_pointed_at_is_saved_and_its_past_given() -> None:
    stand_in = StandIn()
    meant = {"kind": "submit", "selector": "form.signup", "name": " Signed up "}
    answer = client(stand_in).post("/point/save.json", json=meant)
    assert answer.json() == {"name": "Signed up", "events": 431, "people": 172}
    assert str(stand_in.saved[-1]) == "submit on form.signup"


def test_what_was_pointed_at_is_saved_with_the_text_that_tells_it_apart() -> None:
    stand_in = StandIn()
    meant = {"kind": "click", "selector": "nav a", "text": "Prices: all", "name": "Prices"}
    assert client(stand_in).post("/point/save.json", json=meant).status_code == 200
    assert str(stand_in.saved[-1]) == "click on nav a and text is:Prices: all"


def test_a_name_that_is_taken_keeps_its_meaning_however_it_is_written() -> None:
    stand_in = StandIn()
    before = list(stand_in.saved)
    meant = {"kind": "click", "selector": "b", "name": before[0].name.upper()}
    answer = client(stand_in).post("/point/save.json", json=meant)
    assert answer.status_code == 400
    assert "already" in answer.json()["error"]["message"]
    assert stand_in.saved == before


@pytest.mark.parametrize("meant", [{"kind": "view"}, {"selector": "a:hover"}, {"name": ""}])
def test_what_cannot_be_saved_is_refused(meant: dict[str, str]) -> None:
    stand_in = StandIn()
    before = list(stand_in.saved)
    body = {"kind": "click", "selector": "b", "name": "B"} | meant
    assert client(stand_in).post("/point/save.json", json=body).status_code in (400, 422)
    assert stand_in.saved == before


def test_of_several_sites_the_one_that_is_looked_at_is_asked() -> None:
    form = part(client(sites=(SITE, OTHER)).get("/point?site=blog").text, "form[data-point]")
    for name in ("selectors", "past", "save", "definition"):
        assert str(form[f"data-{name}"]).endswith("?site=blog")


class Visited(StandIn):
    """Answers with events that arrived a moment ago."""

    async def call(self, method: str, *arguments: Any, **named_arguments: Any) -> Any:
        answer = await super().call(method, *arguments, **named_arguments)
        if not isinstance(answer, LiveAnswer):
            return answer
        now = datetime.now(UTC)
        return replace(answer, events=tuple(replace(each, received_at=now) for each in answer.events))


def why(page: str, stand_in: StandIn, seconds: float = 20) -> dict[str, Any]:
    """What is said of a page that was opened so long ago."""
    opened = {"page": page, "seconds": seconds}
    answer = client(stand_in, sites=(SITE, OTHER)).post("/point/arrival.json", json=opened)
    assert answer.status_code == 200
    return dict(answer.json())


def test_what_comes_of_other_pages_of_a_site_is_not_said_of_the_one_that_was_opened() -> None:
    assert why("https://shop.example/tea/sencha/?from=mail", Visited())["kind"] == "no definer"
    other = why("https://shop.example/nowhere", Visited())
    assert (other["kind"], "Other pages of https://shop.example send events." in other["message"]) == (
        "perhaps silent",
        True,
    )


def test_other_sites_are_asked_for_the_page_only_at_first() -> None:
    for seconds, questions in ((12, 2), (40, 1)):
        stand_in = StandIn(is_empty=True)
        assert why("https://shop.example/", stand_in, seconds)["kind"] == "no tag"
        assert len([each for each in stand_in.asked if isinstance(each[-1], Live)]) == questions
