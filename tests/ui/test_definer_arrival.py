"""Why no definer answers: the page that was opened has no tag, another key, a policy that keeps it in, or no word."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from expost.clock import wall_clock
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site
from expost.ui.arrival import Signs, diagnosis
from tests.ui.pointing_bench import STRICT, Bench, wait_until

PLAIN = "<!doctype html><title>Plain</title><p>Nothing but words"


@pytest.fixture
def first_tab(chromium: Browser) -> Iterator[Page]:
    """In a profile of its own for each test: a clock, though a tab is asked for it, stays that of the whole profile."""
    context = chromium.new_context(viewport={"width": 1280, "height": 820})
    yield context.new_page()
    context.close()


def expect_why(bench: Bench, address: str, *words: str, is_captured: bool = False) -> str:
    """Opens a page and returns once Expost says these words of it; its clock goes faster than ours."""
    desk, before = bench.desk, len(bench.happened("page_view"))
    desk.clock.install()
    desk.goto(f"{bench.serving.url}/point")
    desk.get_by_label("Address").fill(address)
    with bench.context.expect_page() as opening:
        desk.get_by_role("button", name="Open it and point").click()
    page = opening.value
    page.wait_for_load_state()
    if is_captured:
        wait_until(lambda: len(bench.happened("page_view")) > before)
        bench.settle()

    def said() -> str:
        return f"{desk.locator('#pointing').inner_text()} {desk.locator('#advice').inner_text()}"

    for _ in range(60):
        if all(each in said() for each in words):
            break
        desk.clock.run_for(4_000)
        page.wait_for_timeout(250)
    found = said()
    assert [each for each in words if each not in found] == [], found
    page.close()
    return found


def test_a_page_without_the_tag_is_said_to_lack_it_and_where_the_line_stands(bench: Bench) -> None:
    bench.site.pages["/plain"] = PLAIN
    said = expect_why(bench, f"{bench.site.origin}/plain", "most likely it carries no Expost tag.")
    assert "cut itself off" not in said
    assert bench.desk.locator("#advice a").get_attribute("href") == "#tag-line"


def test_a_page_without_the_tag_that_cuts_itself_off_is_said_to_lack_the_tag_first(bench: Bench) -> None:
    bench.site.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    bench.site.pages["/plain"] = PLAIN
    said = expect_why(bench, f"{bench.site.origin}/plain", "is cut off from this one as well")
    assert said.startswith("Nothing came from this page")
    assert not bench.desk.locator("#cut").is_visible()


def test_the_key_of_another_site_and_one_that_opens_none_are_named(bench: Bench) -> None:
    state = State(bench.data / "state.sqlite")
    add_site(state, Site("the-blog", "The blog", created_at=wall_clock()))
    keys = {
        "xw_nobodys": "a key that opens no site",
        add_key(state, "the-blog", "write", wall_clock)[1]: "go to “The blog”",
    }
    state.close()
    for path, (key, words) in zip(("/no-key", "/blog-key"), keys.items(), strict=True):
        address = bench.put_up(path=path)
        bench.site.pages[path] = re.sub(r'data-key="[^"]*"', f'data-key="{key}"', bench.site.pages[path])
        expect_why(bench, address, words)


def test_a_policy_that_keeps_events_in_is_named(bench: Bench) -> None:
    bench.site.headers["Content-Security-Policy"] = STRICT.format(collector="'self'")
    address = bench.put_up(path="/kept-in")
    expect_why(bench, address, "loads the script, and no event of it arrives.", "connect-src has to allow")


def test_a_tag_without_the_word_definer_is_named_though_its_events_arrive(bench: Bench) -> None:
    address = bench.put_up(path="/no-word", also="")
    expect_why(bench, address, "the definer did not come", 'data-also="definer"', is_captured=True)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"is_here": True}, "no definer"),
        ({"is_here": True, "is_closed": True}, "cut off"),
        ({"elsewhere": ("Blog",)}, "other site"),
        ({"seen": {"unknown key", "script"}, "lately": {"script"}}, "unknown key"),
        ({"seen": {"origin refused"}}, "origin refused"),
        ({"seen": {"script"}, "lately": {"script"}}, "silent"),
        ({"lately": {"script"}}, "perhaps silent"),
        ({"is_near": True}, "perhaps silent"),
        ({"is_near": True, "seen": {"script"}, "lately": {"script"}}, "perhaps silent"),
        ({}, "no tag"),
    ],
)
def test_each_sign_has_a_meaning_and_something_to_do(given: dict[str, object], kind: str) -> None:
    blank = {"origin": "https://shop.example", "is_here": False, "is_near": False, "elsewhere": (),
             "seen": set(), "lately": set(), "is_closed": False}  # fmt: skip
    found = diagnosis(Signs(**blank | given), "https://expost.example", "The shop")  # type: ignore[arg-type]
    assert found.kind == kind
    assert found.message
    assert found.hint
