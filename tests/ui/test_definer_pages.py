"""Pages that make it hard to point at them: strict policies, hostile styles, frames, shadow trees, dialogs."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.ui.pointing_bench import (
    STRICT,
    Bench,
    centre,
    definer_in,
    point_and_save,
)

HOSTILE = """<style nonce=n0nce>* { all: unset !important; z-index: 2147483647 !important; opacity: 0.1 !important }
div, iframe, [popover] { display: none !important; pointer-events: none !important; transform: scale(0) !important }
body, main, button { display: block !important; position: relative !important }</style>"""


def test_under_the_strictest_policy_of_scripts_styles_and_markup(bench: Bench) -> None:
    bench.site.headers["Content-Security-Policy"] = STRICT.format(collector=bench.relay.url)
    refused: list[str] = []
    bench.context.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    address = bench.put_up(path="/strict")
    bench.visit(address, lambda page: page.click("b"))
    bench.settle()
    page, definer = bench.open(address)
    page.mouse.move(*centre(page, ".other"))
    expect(definer.get_by_label("Selector")).to_have_value("button.other")
    colour = definer.locator(".box.mine").evaluate("box => getComputedStyle(box).borderTopColor")
    assert colour == "rgb(194, 65, 12)"
    point_and_save(page, definer, ".other", "Strict")
    assert [text for text in refused if "favicon" not in text and "404" not in text] == []


def test_where_every_style_of_the_page_is_against_it(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(path="/hostile", head=HOSTILE))
    point_and_save(page, definer, ".other", "Hostile")
    width = definer.evaluate("innerWidth")
    assert width == 1280
    panel = definer.locator(".panel")
    assert panel.evaluate("panel => getComputedStyle(panel).opacity") == "1"


def test_a_page_that_stops_every_event_at_its_window(bench: Bench) -> None:
    page, definer = bench.open(
        bench.put_up(path="/stops", head="<script nonce=n0nce>window.stops = true</script>")
    )
    point_and_save(page, definer, ".other", "Stopped")
    assert page.evaluate("heard") == []


def test_in_a_frame_of_the_same_origin(bench: Bench) -> None:
    bench.site.pages["/inner"] = (
        "<!doctype html><body style='margin:0'><button class=inner>In the frame</button>"
    )
    body = '<p>Around it</p><iframe src="/inner" style="margin: 40px; border: 7px solid" width=300 height=120></iframe>'
    address = bench.put_up(body, path="/frames", also="definer frames")

    def act(page: Page) -> None:
        for _ in range(2):
            page.frame_locator("iframe").locator(".inner").click()

    bench.visit(address, act)
    bench.settle()
    page, definer = bench.open(address)
    box = page.frame_locator("iframe").locator(".inner").bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    expect(definer.get_by_label("Selector")).to_have_value("button.inner")
    expect(definer.locator("dd").first).to_have_text("2")
    outline = definer.locator(".box.mine").bounding_box()
    assert outline
    assert (outline["x"], outline["y"]) == (box["x"] - 2, box["y"] - 2)
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    definer.get_by_label("Name", exact=True).fill("In a frame")
    definer.get_by_role("button", name="Save").click()
    expect(definer.get_by_role("status")).to_contain_text("2 events")


SHADOW = """<shop-rating></shop-rating><script nonce=n0nce>
  const star = (name) => Object.assign(document.createElement("button"), { className: name, textContent: name });
  const root = document.querySelector("shop-rating").attachShadow({ mode: "open" });
  root.append(star("star"), star("plain"));
</script>"""


def test_in_an_open_shadow_root(bench: Bench) -> None:
    address = bench.put_up(SHADOW, path="/shadow")

    def act(page: Page) -> None:
        for selector in [".star", ".star", ".star", ".plain"]:
            page.click(selector)

    bench.visit(address, act)
    bench.settle()
    page, definer = bench.open(address)
    page.mouse.move(*centre(page, ".star"))
    expect(definer.get_by_label("Selector")).to_have_value("button.star")
    expect(definer.locator("dd").first).to_have_text("3")
    page.mouse.click(*centre(page, ".star"))
    definer.get_by_role("button", name="shop-rating").click()
    expect(definer.get_by_label("Selector")).to_have_value("shop-rating")
    expect(definer.locator("dd").first).to_have_text("4")


def test_a_page_that_renders_itself_anew_and_takes_away_what_it_does_not_know(bench: Bench) -> None:
    page, definer = bench.open(bench.put_up(path="/anew"))
    page.mouse.click(*centre(page, "b"))
    expect(definer.get_by_role("button", name="Save")).to_be_visible()
    page.evaluate("document.querySelector('main').replaceChildren()")
    expect(definer.get_by_role("button", name="Save")).to_be_hidden()
    page.evaluate(
        "document.querySelector('[popover]').remove(); document.body.innerHTML = '<p class=new>New</p>'"
    )
    definer = definer_in(page)
    point_and_save(page, definer, "p.new", "After all that")


def test_over_a_modal_dialog_of_the_page(bench: Bench) -> None:
    body = "<dialog class=offer><button class=take>Take it</button></dialog>"
    page, _ = bench.open(bench.put_up(body, path="/modal"))
    page.evaluate("document.querySelector('dialog').showModal()")
    page.wait_for_function("document.querySelector('dialog > [popover]')")
    definer = definer_in(page)
    point_and_save(page, definer, "button.take", "In a dialog")


def test_the_wheel_moves_what_is_under_the_glass_and_the_outline_goes_along(bench: Bench) -> None:
    inside = "<p style='height:150px'>a<p class=deep>b<p style='height:900px'>"
    body = f"<div class=box style='height:200px;overflow:auto'>{inside}</div>"
    page, definer = bench.open(bench.put_up(body, path="/wheel"))
    page.mouse.move(*centre(page, "p.deep"))
    mine = definer.locator(".box.mine")
    expect(mine).to_be_visible()
    before = mine.bounding_box()
    page.mouse.wheel(0, 40)
    page.wait_for_function("document.querySelector('.box').scrollTop === 40")
    assert page.evaluate("scrollY") == 0
    assert before
    top = f"{before['y'] - 40}px"
    definer.wait_for_function("top => document.querySelector('.box.mine')?.style.top === top", arg=top)
