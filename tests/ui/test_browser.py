"""The pages in a real Chromium: nothing runs over, nothing is refused by the policy, and each small script helps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from expost.ui import samples_events
from tests.ui.stand_in import StandIn, create_app

FUNNEL = "/funnel?step=Viewed+a+tea&step=Added+to+basket&step=Went+to+checkout&by=flag:new-checkout"
PAGES = (
    "/live", "/events/x", "/events/view", "/definitions", "/definition?name=Viewed+a+tea", "/define?click=button.add",
    "/unnamed", "/definition-health",
    "/define?click=a:hover", "/point", FUNNEL, FUNNEL.replace("?", "/people?"),
    "/retention?start_event=a&by=flag:new-checkout", "/trend?name=a",
    "/trend?name=a&by=flag:new-checkout", "/losses", "/rejected", "/sql", "/sql?query=select+1", "/setup",
    "/account", "/audit", "/setup-account", "/patterns", "/live?type=nosuch",
    "/imports", "/import?id=1", "/import?id=5", "/sessions?by=device_class", "/sessions/x",
)  # fmt: skip
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# WCAG's formula, over every text on the page that stands on a plain colour.
FAINT = """() => {
  const linear = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => { const [r, g, b] = c.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (c.startsWith("color(")) return numbers(c).slice(0, 3).map((v) => v * 255);
    const [r, g, b, a = 1] = numbers(c); if (a > 0) return [r, g, b]; } return [255, 255, 255]; };
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    const says = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!says || !e.checkVisibility() || e.closest("svg")) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color).slice(0, 3)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.slice(0, 40)}`);
  }
  return [...new Set(faint)].slice(0, 10);
}"""


class Server(uvicorn.Server):
    """The pages with the stand-in, on a free port."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        super().__init__(uvicorn.Config(create_app(stand_in), port=0, log_level="warning", lifespan="off"))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(StandIn())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield server
    server.should_exit = True
    thread.join(10)


def complaints_of(page: Page) -> list[str]:
    """What the console says; that a refused question has an error's status is meant."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if "status of 400" not in said.text else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_runs_over_or_is_faint(chromium: Browser, server: Server, width: int, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 820}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    complaints = complaints_of(page)
    for path in PAGES:
        page.goto(server.address + path)
        assert page.evaluate(TOO_WIDE) <= 0, path
        assert page.evaluate(FAINT) == [], path
    assert complaints == []
    context.close()


def test_a_new_event_arrives_on_the_open_page_by_itself(chromium: Browser, server: Server) -> None:
    server.stand_in.is_empty = True
    page = chromium.new_page()
    page.goto(f"{server.address}/live")
    expect(page.get_by_role("heading", name="Waiting for the first event")).to_be_visible()
    server.stand_in.is_empty = False
    expect(page.get_by_role("link", name="order placed").first).to_be_visible(timeout=8_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.close()


def test_a_selector_is_counted_while_it_is_typed_and_a_name_is_not_lost(
    chromium: Browser, server: Server
) -> None:
    page = chromium.new_page()
    complaints = complaints_of(page)
    page.goto(f"{server.address}/define")
    page.get_by_label("Click on").fill("a:hover")
    expect(page.locator("pre.caret")).to_be_visible()
    page.get_by_label("Click on").fill("button.add")
    expect(page.locator("#preview dd").first).to_have_text(str(samples_events.preview().events))
    page.get_by_label("Name", exact=True).fill("Added it")
    page.get_by_label("Its text").fill("contains:Add")
    expect(page.locator("#preview .meaning")).to_contain_text("text contains:Add")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Added it")
    page.get_by_role("button", name="Save definition").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Added it")
    assert complaints == []
    page.close()


def test_from_a_click_to_a_named_event_without_scripts_and_without_typing_a_selector(
    chromium: Browser, server: Server
) -> None:
    context: BrowserContext = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}/live")
    page.get_by_role("link", name="Add to basket").first.click()
    page.get_by_role("link", name="li.tea").click()
    page.get_by_label("Name", exact=True).fill("Chose a tea")
    page.get_by_role("button", name="Save definition").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chose a tea")
    assert str(server.stand_in.saved[-1]) == "click on li.tea"
    context.close()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(chromium: Browser, server: Server) -> None:
    page = chromium.new_page()
    page.goto(f"{server.address}/live")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert page.evaluate("document.activeElement.closest('main') !== null")
    page.close()


def test_on_a_phone_the_list_of_pages_is_one_row_that_opens_by_keyboard_without_scripts(
    chromium: Browser, server: Server
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 820}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}/sql")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages).to_be_hidden()
    menu = page.get_by_role("checkbox", name="All pages, this one is SQL")
    menu.press("Space")
    expect(pages.get_by_role("link", name="SQL")).to_have_attribute("aria-current", "page")
    pages.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit")
    expect(pages).to_be_hidden()
    context.close()


def test_in_a_low_window_the_page_one_is_on_is_in_sight_in_the_list(
    chromium: Browser, server: Server
) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 400})
    page.goto(f"{server.address}/account")
    expect(page.locator(".side [aria-current]")).to_be_in_viewport(ratio=1)
    expect(page.locator(".side .site-name")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    page.close()
