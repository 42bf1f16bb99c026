"""The whole way, as it is shown: point at the shop, name it, see its past, use it in a funnel. Every step is a picture.

`pytest tests/ui -k "demonstration or token" --pictures docs/images` draws the pictures of docs/definer.md anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Locator, Page, expect

import expost
from expost.clock import wall_clock
from expost.demo import shop_server
from expost.demo.history import batches_of_month, events_of, send_history
from expost.demo.shop_server import ShopServer
from tests.browser.snippet_site import spelled_out
from tests.serving import Serving, events_in_lake, make_key, make_site
from tests.ui.pointing_bench import definer_in, wait_until

DAYS = 10
NAME = "Added a tea to the cart"
MOST_BYTES = 200_000
PAGE = "/product/sencha"
# It refuses what the shop itself has of styles and handlers inside its markup, too.
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-n0nce'; connect-src 'self' {server}; base-uri 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
AROUND = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Around the shop</title>{tag}
<style>body {{ margin: 0; font: 16px sans-serif; background: #ddd }} h1 {{ margin: 12px 24px; font-size: 20px }}
iframe {{ margin: 0 24px; width: calc(100% - 48px); height: 720px; border: 3px solid #888 }}</style>
<h1>A page that shows the shop in a frame</h1><iframe src="{page}" title="The shop"></iframe>"""


@dataclass
class Stage:
    """Expost with ten days of the shop's history, and the shop."""

    context: BrowserContext
    serving: Serving
    data: Path
    batches: list[dict[str, Any]]
    pictures: Path

    def tag(self, **more: str) -> str:
        said = "".join(f' data-{name}="{value}"' for name, value in more.items())
        return self.serving.tag.replace(" data-key=", f" nonce=n0nce{said} data-key=")


@dataclass
class Hand:
    """Somebody's hand: counts what it presses, and takes a picture of what there is then."""

    stage: Stage
    prefix: str
    suffix: str = ""
    shown: tuple[str, ...] = ("open", "point", "name", "saved", "funnel")
    pressed: int = 0

    def press(self, act: Callable[[], object]) -> None:
        act()
        self.pressed += 1

    def picture(self, page: Page, name: str) -> None:
        if name not in self.shown:
            return
        path = self.stage.pictures / f"{self.prefix}{name}.png"
        page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size < MOST_BYTES


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Path, list[dict[str, Any]]]]:
    """A server with the history, and what was sent to it."""
    data = tmp_path_factory.mktemp("demonstration") / "data"
    make_site(data, count_bots=True, count_internal=True)
    key = make_key(data, "import")
    batches = batches_of_month(shop_url="http://127.0.0.1:8001", until=wall_clock() // 1_000, days=DAYS)
    with Serving(data) as serving:
        send_history(batches, serving.url, key, lambda _: None)
        events_in_lake(data, {event["id"] for event, _ in events_of(batches)}, seconds=60)
        yield serving, data, batches


# Of each chain, the target first, the elements as they stood inside one another; then the browser is asked.
JUDGE = """([chains, selector]) => chains.filter((chain) => {
  const elements = chain.map(([tag, id, classes, attributes]) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries({ ...attributes, id, class: classes })) {
      if (value !== null) element.setAttribute(name, value);
    }
    return element;
  });
  elements.slice(1).forEach((element, place) => element.append(elements[place]));
  return elements[0].closest(selector);
}).length"""


@dataclass
class Judge:
    """Counts the clicks of the history by the browser's own engine."""

    page: Page
    chains: list[tuple[str, list[tuple[Any, ...]]]]

    def clicks(self, selector: str, text: str = "") -> int:
        meant = [chain for label, chain in self.chains if text in ("", label)]
        return int(self.page.evaluate(JUDGE, [meant, selector]))


def chains_of_clicks(batches: list[dict[str, Any]]) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Of each click the words of the control it was on, and its chain."""
    names = ("tag", "id", "class", "attributes")
    clicks = [(event, batch) for event, batch in events_of(batches) if event["type"] == "click"]
    spelled = [spelled_out(event, batch) for event, batch in clicks]
    return [
        (each.get("label") or "", [tuple(level[name] for name in names) for level in each["chain"]])
        for each in spelled
    ]


@pytest.fixture
def stage(
    chromium: Browser, past: tuple[Serving, Path, list[dict[str, Any]]], pictures: Path
) -> Iterator[Stage]:
    serving, data, batches = past
    context = chromium.new_context(viewport={"width": 1280, "height": 820}, color_scheme="light")
    yield Stage(context, serving, data, batches, pictures)
    context.close()


def point_name_and_ask(stage: Stage, hand: Hand, address: str, button: Callable[[Page], Locator]) -> None:
    """From the page Point at it to a funnel. What is pressed from the element to the saved name is counted."""
    name = f"{NAME}{hand.suffix}"
    judge = Judge(stage.context.new_page(), chains_of_clicks(stage.batches))
    desk = stage.context.new_page()
    desk.goto(f"{stage.serving.url}/point")
    desk.get_by_label("Address").fill(address)
    hand.picture(desk, "open")
    with stage.context.expect_page() as opening:
        desk.get_by_role("button", name="Open it and point").click()
    page = opening.value
    definer = definer_in(page)

    spot = middle(button(page))
    page.mouse.move(*spot)
    wait_until(lambda: shows_past(definer, judge))
    hand.picture(page, "point")
    hand.press(lambda: page.mouse.click(*spot))
    wait_until(lambda: shows_past(definer, judge))
    hand.press(lambda: definer.get_by_label("Name", exact=True).fill(name))
    expect(definer.get_by_text("Asking history…")).to_be_hidden()
    wait_until(lambda: shows_past(definer, judge))
    hand.picture(page, "name")
    hand.press(definer.get_by_role("button", name="Save").click)
    expect(definer.get_by_role("status")).to_contain_text("Its past")
    (saved,) = [each for each in expost.open(stage.data).definitions() if each.name == name]
    (meant,) = saved.alternatives
    assert meant.selector
    clicks = judge.clicks(meant.selector, meant.text.value if meant.text else "")
    assert clicks > 0
    expect(definer.get_by_role("status")).to_contain_text(f"Its past: {clicks} events")
    assert hand.pressed <= 3
    hand.picture(page, "saved")
    assert expost.open(stage.data).preview(name).events == clicks

    desk.get_by_role("link", name=name).click()
    expect(desk.locator("#past dd").first).to_have_text(str(clicks))
    lake = expost.open(stage.data)
    lake.define("Viewed a tea", view="/product/*")
    desk.goto(f"{stage.serving.url}/funnel?step=Viewed+a+tea&step={quote(name)}&within=7d")
    steps = desk.locator(".step-head p")
    expect(steps).to_have_count(2)
    counted = lake.funnel("Viewed a tea", name, within="7d")
    assert 0 < counted.steps[1].people < counted.steps[0].people
    for place in (0, 1):
        expect(steps.nth(place)).to_contain_text(f"{counted.steps[place].people:,}")
    hand.picture(desk, "funnel")


def shows_past(definer: Frame, judge: Judge) -> bool:
    """Whether the panel shows of its selector what the browser counts, and a sparkline."""
    selector = definer.get_by_label("Selector").input_value()
    shown = definer.locator("dd").first
    if not selector or not shown.count():
        return False
    is_drawn = definer.locator("svg rect").count() > 0
    text = definer.locator("#text").input_value()
    return is_drawn and shown.inner_text() == f"{judge.clicks(selector, text):,}"


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_on_the_shop_from_pointing_to_a_funnel(stage: Stage) -> None:
    hand = Hand(stage, "definer-")
    with ShopServer(tag=stage.tag(also="definer")) as shop:
        point_name_and_ask(stage, hand, shop.url + PAGE, lambda page: page.locator("button.add").first)


def test_the_same_under_the_strictest_policy(stage: Stage) -> None:
    hand = Hand(stage, "definer-strict-", ", strict", ("point", "saved"))
    policy = (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(server=stage.serving.url)}">'
    )
    with ShopServer(tag=policy + stage.tag(also="definer")) as shop:
        point_name_and_ask(stage, hand, shop.url + PAGE, lambda page: page.locator("button.add").first)


def test_the_same_in_a_frame_of_the_same_origin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand(stage, "definer-frame-", ", in a frame", ("point", "saved"))
    tag, render = stage.tag(also="definer frames"), shop_server.render_page

    def render_around(path: str, tag: str) -> tuple[HTTPStatus, str]:
        return (HTTPStatus.OK, AROUND.format(tag=tag, page=PAGE)) if path == "/around" else render(path, tag)

    monkeypatch.setattr(shop_server, "render_page", render_around)
    with ShopServer(tag=tag) as shop:
        point_name_and_ask(
            stage,
            hand,
            f"{shop.url}/around",
            lambda page: page.frame_locator("iframe").locator("button.add").first,
        )
