from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.snippet_site import HALF_AN_HOUR_LATER, SNIPPET, Site


def stub() -> str:
    return f"<script>{(SNIPPET / 'stub.js').read_text()}</script>"


def test_calls_arrive_as_they_were_made(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>", release="7", environment="staging"))
    page.wait_for_function("!!window.expost")
    page.evaluate(
        """const order = {total: 12.5, items: ['boots']};
        expost('track', 'Ordered', order); order.total = 99;
        expost('track', 'Bare');
        expost('identify', 'ann', {plan: 'pro'});
        expost('identify', 42);
        expost('group', 'account', 'acme', {tier: 1});
        expost('set', {theme: 'dark'}); expost('track', 'Set once'); expost('set', {lang: 'en'});
        expost('track', 'Set twice');"""
    )
    site.wait_for(*["custom"] * 4, "identify", "identify", "group")
    kept = ("type", "name", "properties", "user", "traits", "group_type", "group")
    assert [{name: event[name] for name in kept if name in event} for event in site.events] == [
        {"type": "page_view"},
        {"type": "custom", "name": "Ordered", "properties": {"total": 12.5, "items": ["boots"]}},
        {"type": "custom", "name": "Bare"},
        {"type": "identify", "user": "ann", "traits": {"plan": "pro"}},
        {"type": "identify", "user": "42"},
        {"type": "group", "group_type": "account", "group": "acme", "traits": {"tier": 1}},
        {"type": "custom", "name": "Set once"},
        {"type": "custom", "name": "Set twice"},
    ]
    assert [event["set_"] for event in site.of("custom")] == [
        {}, {}, {"theme": "dark"}, {"theme": "dark", "lang": "en"},
    ]  # fmt: skip
    assert {(batch["release"], batch["environment"]) for batch in site.batches} == {("7", "staging")}


def test_calls_with_nonsense_do_no_harm(site: Site, page: Page):
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(site.page("<p>shop</p>"))
    page.wait_for_function("!!window.expost")
    page.evaluate(
        """const round = {}; round.round = round;
        expost(); expost('nonsense', 1); expost('toString'); expost('exposure'); expost(null); expost('identify');
        expost('identify', null); expost('identify', ''); expost('track', 'Cyclic', round);
        expost('track', 'Text', 'text');
        expost('track', 'Throws', { get x() { throw Error() } }); expost('track', 'n'.repeat(500));"""
    )
    site.wait_for(*["custom"] * 4, "snippet_error")
    assert [event["type"] for event in site.events] == ["page_view"] + ["custom"] * 4 + ["snippet_error"]
    # The first of those that we could not make sense of is told, so that the site's developers see it.
    (failure,) = site.of("snippet_error")
    assert failure["name"].startswith("TypeError")
    assert [event.get("properties") for event in site.of("custom")] == [None] * 4
    assert len(site.of("custom")[3]["name"]) == 200
    assert errors == []


def test_calls_and_clicks_made_before_the_script_is_there_are_kept_by_the_stub(site: Site, page: Page):
    page.goto(
        site.page(
            "<button>Early <b>bird</b></button><script>document.querySelector('b').click();"
            "expost('track', 'after the click'); window.saved = expost</script>",
            head=stub() + "<script>expost('consent', 'cookieless'); expost('set', {a: 1});"
            "expost('exposure', {flag: 'f', variation: true, flag_version: 2, rule: 'everyone'})</script>",
            consent="full",
        )
    )
    page.wait_for_function("Object.hasOwn(expost.q, 'push')")
    page.evaluate("saved('track', 'late'); document.querySelector('b').click()")
    site.wait_for("page_view", "exposure", "click", "custom", "custom", "click")
    assert [event.get("name", event["type"]) for event in site.events] == [
        "page_view", "exposure", "click", "after the click", "late", "click",
    ]  # fmt: skip
    early, _ = site.of("click")
    assert (early["label"], [element["tag"] for element in early["chain"]]) == (
        "Early bird",
        ["b", "button", "body", "html"],
    )
    assert early["trusted"] is False
    times = [event["t"] for event in site.events]
    assert times == sorted(times)
    (exposure,) = site.of("exposure")
    assert [exposure[name] for name in ("flag", "variation", "flag_version", "rule")] == [
        "f",
        "true",
        "2",
        "everyone",
    ]
    assert exposure["set_"] == {"a": 1}
    assert {batch["consent"] for batch in site.batches} == {"cookieless"}
    assert "expost" not in page.evaluate("Object.keys(localStorage)")


def test_an_exposure_is_told_once_for_each_variation_version_and_session(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    page.wait_for_function("!!window.expost")
    tell = "expost('exposure', {flag: 'f', variation: 'on', flag_version: 1});"
    page.evaluate(f"{tell} {tell} expost('identify', 'ann'); {tell}")
    page.evaluate("expost('exposure', {flag: 'f', variation: 'on', flag_version: 2})")
    page.evaluate("expost('exposure', {flag: 'f', variation: 'off', flag_version: 2})")
    page.goto(site.origin)
    page.wait_for_function("!!window.expost")
    page.evaluate(f"expost('identify', 'ann'); {tell} expost('identify', 'bob'); {tell}")
    page.evaluate(HALF_AN_HOUR_LATER)
    page.evaluate(f"{tell} expost('track', 'end')")
    site.wait_for("custom")
    told = [
        (event.get("user"), event.get("variation"), event.get("flag_version"))
        for event in site.of("identify", "exposure")
    ]
    assert told == [
        (None, "on", "1"), ("ann", None, None), (None, "on", "2"), (None, "off", "2"),
        ("ann", None, None), ("bob", None, None), (None, "on", "1"), (None, "on", "1"),
    ]  # fmt: skip


def test_a_reset_ends_what_was_known_of_the_person(site: Site, page: Page):
    page.goto(site.page("<p>shop</p>"))
    site.wait_for("page_view")
    tell = "expost('exposure', {flag: 'f', variation: 'on'});"
    page.evaluate(f"expost('set', {{plan: 'pro'}}); {tell} expost('reset'); {tell} expost('track', 'after')")
    site.wait_for("custom", "exposure", "exposure")
    _, before, after = site.batches
    assert [event["type"] for event in before["events"]] == ["exposure", "reset"]
    assert [event["type"] for event in after["events"]] == ["exposure", "custom"]
    assert before["device"] != after["device"]
    assert before["page"] == after["page"]
    assert after["sets"] == []
