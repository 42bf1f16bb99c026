"""Who is listened to, by the page and by Expost: the window that was opened, and the origin that was meant."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.snippet_site import running_site
from tests.ui.pointing_bench import (
    AT,
    Bench,
    open_with_more,
)


def test_an_opener_of_another_origin_sees_no_definer_and_gets_no_word(bench: Bench) -> None:
    address = bench.put_up(path="/elsewhere")
    with running_site() as other:
        other.pages["/"] = (
            "<!doctype html><script>words = []; addEventListener('message', (event) => words.push(event.data))</script>"
        )
        stranger = bench.context.new_page()
        stranger.goto(other.origin + "/")
        with bench.context.expect_page() as opening:
            stranger.evaluate("address => void open(address, 'expost-definer')", address)
        page = opening.value
        with page.expect_response(lambda response: response.url.endswith(AT["definer"])) as third:
            pass
        page.evaluate(
            "address => import(address).then(() => new Promise(done => setTimeout(done)))", third.value.url
        )
        assert page.evaluate("document.querySelectorAll('[popover]').length") == 0
        assert stranger.evaluate("words") == []


def test_the_page_of_expost_listens_to_the_window_and_the_origin_it_opened(bench: Bench) -> None:
    hello = "to => to.postMessage({ expost: 'definer' }, '*', [new MessageChannel().port2])"
    with running_site() as other:
        other.pages["/"] = "<!doctype html><title>Another</title>"
        bench.desk.goto(f"{bench.serving.url}/point")
        bench.desk.get_by_label("Address").fill(bench.put_up("<p>no definer", path="/quiet", also=""))
        with bench.context.expect_page() as opening:
            bench.desk.get_by_role("button", name="Open it and point").click()
        page = opening.value
        status = bench.desk.locator("#pointing")
        expect(status).to_contain_text("Waiting for the page")
        # Not the window: a frame of the right origin in the page of Expost itself.
        bench.desk.evaluate("window.postMessage({ expost: 'definer' }, '*', [new MessageChannel().port2])")
        expect(status).to_contain_text("Waiting for the page")
        # The window, but somewhere else by now.
        page.goto(other.origin + "/")
        page.evaluate(f"({hello})(opener)")
        expect(status).to_contain_text(f"a page of {other.origin} now")


def test_a_page_whose_key_cannot_be_asked_about_is_told_nothing(bench: Bench) -> None:
    bench.desk.route("**/point/key.json*", lambda route: route.fulfill(status=500, body="broken"))
    bench.desk.goto(f"{bench.serving.url}/point")
    bench.desk.get_by_label("Address").fill(bench.put_up(path="/unasked"))
    with bench.context.expect_page():
        bench.desk.get_by_role("button", name="Open it and point").click()
    expect(bench.desk.locator("#pointing")).to_contain_text(
        "it is told nothing: The server answered 500.", timeout=15_000
    )


def test_a_page_that_was_left_while_its_key_was_asked_about_is_told_nothing(bench: Bench) -> None:
    held: list[Route] = []
    bench.desk.route("**/point/key.json*", lambda route: held.append(route))
    bench.desk.goto(f"{bench.serving.url}/point")
    with running_site() as other:
        other.pages["/"] = "<!doctype html><title>Another</title>"
        for address in (bench.put_up(path="/left"), other.origin + "/"):
            bench.desk.get_by_label("Address").fill(address)
            bench.desk.get_by_role("button", name="Open it and point").click()
            while not held:
                bench.desk.wait_for_timeout(25)
        expect(bench.desk.locator("#pointing")).to_contain_text("Waiting for the page")
        with bench.desk.expect_response("**/point/key.json*") as answered:
            held[0].continue_()
        answered.value.finished()
        bench.desk.evaluate("() => new Promise((done) => setTimeout(done))")
        assert "The page is here" not in bench.desk.locator("#pointing").inner_text()


def test_a_page_that_nobody_pointed_at_loads_no_definer(bench: Bench) -> None:
    asked: list[str] = []
    page = bench.context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    open_with_more(page, bench.put_up(path="/visitor"))
    assert [url for url in asked if url.endswith(AT["definer"])] == []
