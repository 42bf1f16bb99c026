from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.collector.masks import GAP, Masks, TooDeep
from expost.lake.batch import Descriptor, Event, View

CARD = "4111 1111 1111 1111"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"
SECRETS = [
    "ann@shop.example", "ann.o+x@a.b.example", "ann%40shop.example", "anna@müller.example",
    CARD, CARD.replace(" ", ""),
    CARD.replace(" ", "-"), CARD.replace(" ", "\u00a0"), CARD.replace(" ", "\u202f"), "078\u00a005\u00a01120",
    "5555555555554444", "378282246310005", "078-05-1120", "078 05 1120", JWT,
    JWT.rsplit(".", 1)[0],
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "sk_live_51HqLyjWDarjtT1zdp7dcZ8f9G0h1J2k",
]  # fmt: skip
PLAIN = [
    "", "Buy now", "555-1234", "2026-01-15 10:30", "1763890000123", "0196f0c4-7b1e-7c3a-9c3e-2b6f3f0a1d2c", "a@b",
    "@media",
    "Button__label-sc-1a2b3c-0 Card__wide-sc-9z8y7x-12", "group-data-[collapsible=icon]:mt-3", "Order 4111 1111",
    "https://shop.example/products/a-very-long-slug-of-many-words-with-2-digits", "Ünïcödé 世界 🎉", GAP,
    "9" * 400, " ".join(f"55512345{last}" for last in range(10, 30)), "1 " * 200,
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_leaves_one_gap_and_its_surroundings_stay(secret: str) -> None:
    masks = Masks()
    assert masks.text(secret) == GAP
    assert masks.text(f"before {secret} after") == f"before {GAP} after"
    assert masks.text(f"({secret})") == f"({GAP})"


def test_a_card_among_other_groups_of_digits_is_found() -> None:
    assert CARD not in Masks().text(f"2026-01-15 {CARD}")


def test_a_card_beside_a_number_that_is_longer_than_any_card_is_found() -> None:
    for text in (f"{'9' * 400} {CARD}", f"{CARD} {'9' * 400}", f"{'1 ' * 200}{CARD}"):
        assert Masks().text(text) == GAP
        assert Masks().said(text) == GAP


@pytest.mark.parametrize("plain", PLAIN)
def test_what_is_no_secret_stays_as_it_is(plain: str) -> None:
    assert Masks().text(plain) == plain


@given(st.text())
def test_masking_twice_changes_no_more(text: str) -> None:
    once = Masks().text(text)
    assert Masks().text(once) == once


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("/cart", "/cart"),
        ("https://a.example/x?q=1&b=&utm_source=news#top", "https://a.example/x?q=…&b=&utm_source=news#top"),
        ("https://a.example/#access_token=1&x=2", "https://a.example/#access_token=…&x=…"),
        ("https://me:pw@a.example/", "https://…@a.example/"),
        ("https://@a.example/", "https://@a.example/"),
        ("https://jane:…/x?q=1", "https://…/x?q=…"),
        ("//jane:…:8080", "//…"),
        ("https://…:…/x", "https://…/x"),
        ("https://jane:…@a.example:8080/x", "https://…@a.example:8080/x"),
        ("https://a.example:8080/x", "https://a.example:8080/x"),
        ("https://a.example:", "https://a.example:"),
        ("http://[2001:db8::1]:8080/x:y", "http://[2001:db8::1]:8080/x:y"),
        ("https://a.example/b//jane:c/", "https://a.example/b//jane:c/"),
        ("https://a.example/reset/9f86d081884c7d659a2feaa0c55ad015", "https://a.example/reset/…"),
        ("https://a.example/u/ann@shop.example/x", "https://a.example/u/…/x"),
        ("data:text/html,secret", "data:…"),
        ("javascript:alert(1)", "javascript:…"),
        ("?q=a=b&q=…", "?q=…&q=…"),
        ("https://a.example/x?_xp=…", "https://a.example/x"),
        ("https://a.example/x?a=1&_xp=t4.0-1.a-b#top", "https://a.example/x?a=…#top"),
        ("https://a.example/x?_xp=t4.0-1.a-b&a=&b=", "https://a.example/x?a=&b="),
        ("https://a.example/x?my_xp=1", "https://a.example/x?my_xp=…"),
    ],
)
def test_an_address_keeps_its_names_and_loses_its_values(url: str, masked: str) -> None:
    masks = Masks()
    assert masks.url(url) == masked
    assert masks.url(masked) == masked


def test_what_is_clean_as_text_is_still_masked_as_an_address() -> None:
    masks = Masks()
    assert masks.text("/find?q=shoes") == "/find?q=shoes"
    assert masks.url("/find?q=shoes") == "/find?q=…"
    assert masks.text("onclick") == "onclick"
    link = Descriptor("a", attributes={"href": "/find?q=shoes", "onclick": "steal()"}, names=["style"])
    assert masks.descriptor(link) == Descriptor("a", attributes={"href": "/find?q=…"}, marks=["href"])


def test_an_element_of_a_snippet_that_masks_nothing_is_masked_and_marked() -> None:
    before = Descriptor(
        "input", "ann@shop.example", f"card {CARD}", {"title": JWT, "type": "text", "value": "x"}, ["nonce"]
    )
    after = Masks().descriptor(before)
    assert after == Descriptor(
        "input", GAP, f"card {GAP}", {"title": GAP, "type": "text"}, [], 0, ["title", "id", "class"]
    )


def test_an_address_in_an_attribute_of_the_sites_own_loses_its_values() -> None:
    values = {
        "data-href": "/reset?code=1&utm_source=mail",
        "data-n": "a=1 & b",
        "data-src": "data:x",
        "title": "is it? a=b",
    }
    after = Masks().descriptor(Descriptor("a", attributes=values))
    assert after.attributes == values | {
        "data-href": f"/reset?code={GAP}&utm_source=mail",
        "data-src": f"data:{GAP}",
    }
    assert after.marks == ["data-href", "data-src"]


def test_people_who_became_elements_or_names_of_attributes_are_masked() -> None:
    name = "ann@shop.example"
    masks, before = Masks(), Descriptor(name, attributes={name: "", "title": "x"}, names=["download", name])
    for _ in range(2):
        assert masks.descriptor(before) == Descriptor(GAP, attributes={"title": "x"}, names=["download"])


def test_a_clean_element_is_the_same_object() -> None:
    masks, clean = Masks(), Descriptor("a", "x", "y z", {"href": "/x", "data-id": "7"}, ["download"])
    assert masks.descriptor(clean) is clean
    assert masks.descriptor(clean) is clean


def test_texts_titles_and_names_of_events_are_masked_and_marked() -> None:
    masks = Masks()
    event = masks.event(Event("x", "custom", text="ann@shop.example", label="ok", name=CARD))
    assert (event.text, event.label, event.name, event.marks) == (GAP, "ok", GAP, ["text", "name"])
    view = masks.view(View("/a?b=1", "Mail ann@shop.example", "https://x.example/?s=1", ["url"]))
    assert view == View("/a?b=…", f"Mail {GAP}", f"https://x.example/?s={GAP}", ["url", "title", "referrer"])


def test_the_name_that_a_snippet_leaves_of_a_name_and_password_is_masked_and_marked() -> None:
    masks = Masks()
    page = masks.view(View("https://jane:…/x", "", "https://jane:…:8080/y"))
    assert page == View("https://…/x", "", "https://…/y", ["url", "referrer"])
    link = masks.descriptor(Descriptor("a", attributes={"href": "https://jane:…/x"}))
    assert (link.attributes, link.marks) == ({"href": "https://…/x"}, ["href"])


def test_of_what_the_site_says_itself_only_cards_are_masked() -> None:
    said: dict[str, Any] = {
        "email": "ann@shop.example", "card": f"no {CARD}", "n": 4111111111111111, "at": 1763890000123,
        "deep": [{"x": CARD}], "ok": True, "none": None, "f": 1.5,
        "long": "9" * 400, "longer": 10**400,
    }  # fmt: skip
    assert Masks().said(said) == said | {"card": f"no {GAP}", "n": GAP, "deep": [{"x": GAP}]}


def test_properties_that_are_nested_too_deep_are_refused() -> None:
    value: Any = "x"
    for _ in range(40):
        value = [value]
    with pytest.raises(TooDeep):
        Masks().said({"x": value})


@pytest.mark.parametrize(
    "evil",
    [
        "a" * 8_000 + "@", "@" + "a" * 8_000, "a@" * 4_000, "%40" * 2_600, "eyJ" * 2_600, "eyJ-" * 2_000,
        "a@b." * 2_000,
        "1 " * 4_000, "123-45-" * 1_100, "1" * 8_000, ("1 " * 99 + "x") * 40, "=" * 8_000, "?a" * 4_000 + "=",
        "/" * 8_000,
        "//@" * 2_600, "//" + "a:" * 4_000, "//[" * 2_600, "//" + "1" * 8_000,
        "a-" * 4_000, "data:" * 1_600, ".aa" * 2_600 + "@",
    ],
    ids=lambda evil: evil[:6],
)  # fmt: skip
def test_no_text_takes_long(evil: str) -> None:
    masks = Masks()
    before = time.process_time()
    for _ in range(5):
        masks.text(evil)
        masks.url(evil)
        masks.said(evil)
    assert time.process_time() - before < 0.25


def test_what_is_remembered_is_bounded_and_holds_no_secret() -> None:
    masks = Masks(remembered=10)
    for number in range(100):
        masks.text(f"text {number}")
        masks.text(f"ann{number}@shop.example")
    assert len(masks._texts) <= 10
    assert not any("@" in text for text in masks._texts if text)
