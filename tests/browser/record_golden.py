"""Writes golden batches of the present wire version: `python -m tests.browser.record_golden`.

They are recorded once for each released version and then read for ever, so this overwrites none: it adds the scenarios
that have none yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from expost.demo.chromium import FLAGS, find_chromium
from tests.browser.second_file import open_with_more
from tests.browser.snippet_site import Site, running_site

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"

ROWS = "".join(
    f'<tr data-row="{n}"><td>{n}</td><td><a href="/product?id={n}">Open</a></td></tr>' for n in range(1, 31)
)


def plain_page(site: Site, page: Page) -> int:
    """Clicks on inert, nested and repeated elements, with queries, secrets and a mask in the page."""
    page.goto(
        site.page(
            '<nav class="top"><a href="/pricing?plan=pro&utm_source=nav#faq" title="Prices">Pricing</a></nav>'
            '<main><div class="hero" id="hero">Welcome</div>'
            '<div class="account" data-owner="jane@example.com">Card <b>4111 1111 1111 1111</b></div>'
            '<button type="button" data-card="4111-1111-1111-1111">Pay with <b>4111 1111 1111 1111</b></button>'
            '<section data-expost-mask><button class="private" title="Secret">Secret</button></section>'
            f"<table><tbody>{ROWS}</tbody></table></main>",
            release="2026.11.1",
        )
        + "?utm_campaign=autumn&token=abc",
    )
    for selector in (
        "nav a",
        "#hero",
        "main > button b",
        ".private",
        "tr:nth-child(25) td",
        "tr:nth-child(26) a",
    ):
        page.evaluate(
            "document.querySelectorAll('a').forEach(a => a.onclick = event => event.preventDefault())"
        )
        page.click(selector)
    page.click("#hero", button="right")
    page.click("#hero", button="middle")
    return 9


def spa_with_shadow_dom(site: Site, page: Page) -> int:
    """Routes of a single-page app, clicks in nested open shadow trees, a field that changes inside one."""
    page.goto(
        site.page(
            "<shop-card class=featured><span slot=title>Boots</span></shop-card>"
            "<script>"
            "customElements.define('shop-button', class extends HTMLElement { connectedCallback() {"
            " this.attachShadow({mode: 'open'}).innerHTML ="
            " '<button class=add><i></i><span>Add to cart</span></button>' } });"
            "customElements.define('shop-card', class extends HTMLElement { connectedCallback() {"
            " this.attachShadow({mode: 'open'}).innerHTML = '<article><slot name=title></slot>"
            "<input name=amount><shop-button></shop-button></article>' } })"
            "</script>",
            path="/products",
            consent="",
        )
    )
    page.click("shop-button span")
    page.evaluate("history.pushState({}, '', '/products/boots?size=42'); document.title = 'Boots'")
    page.click("span[slot=title]")
    page.fill("input[name=amount]", "2")
    page.locator("input[name=amount]").blur()
    page.evaluate("location.hash = 'reviews'")
    page.go_back()
    return 7


def svg_in_buttons(site: Site, page: Page) -> int:
    """Clicks that land on shapes of an icon, in a document in quirks mode."""
    icon = (
        '<svg class="icon" viewBox="0 0 20 20" width="20" height="20">'
        '<g><path d="M0 0h20v20H0z" fill="red"/></g></svg>'
    )
    address = site.page(
        f'<button class="icon-button" aria-label="Buy">{icon}<span>Buy</span></button>'
        f'<a href="#cart" class="cart">{icon}</a>'
        "<math><mi>x</mi></math>"
    )
    site.pages["/"] = site.pages["/"].removeprefix("<!doctype html>")
    page.goto(address)
    page.click("button path")
    page.click("a path")
    page.click("mi")
    return 5


def forms(site: Site, page: Page) -> int:
    """Fields of every kind, changed and submitted: no value leaves the page."""
    page.goto(
        site.page(
            '<form class="signup" action="/join?ref=abc" method="post">'
            '<label>E-mail <input type="email" name="email" required placeholder="you@example.com"></label>'
            '<input type="password" name="password" value="prefilled">'
            '<textarea name="about">about me</textarea>'
            '<select name="plan"><option selected>Free</option><option>Pro</option></select>'
            '<label><input type="checkbox" name="terms"> I agree</label>'
            '<fieldset disabled><input name="code" readonly></fieldset>'
            "<details open><summary>More</summary><div contenteditable>typed</div></details>"
            '<input type="submit" value="Join now" class="primary"></form>'
        )
    )
    page.evaluate("document.forms[0].addEventListener('submit', event => event.preventDefault())")
    page.fill("[name=email]", "jane@example.com")
    page.fill("[name=password]", "hunter2")
    page.fill("textarea", "my life")
    page.select_option("select", "Pro")
    page.check("[name=terms]")
    page.click("[contenteditable]")
    page.click("summary")
    page.click(".primary")
    return 11


def calls(site: Site, page: Page) -> int:
    """Everything a site can say itself, one exposure twice, and a reset in between."""
    stub = (GOLDEN.parents[2] / "snippet" / "dist" / "stub.js").read_text()
    page.goto(
        site.page(
            "<button>Checkout</button>",
            head=f"<script>{stub}</script><script>"
            "expost('set', {theme: 'dark'});"
            "expost('exposure', {flag: 'new-checkout', variation: 'treatment', flag_version: 3, rule: 'everyone'});"
            "</script>",
            environment="staging",
        )
    )
    page.wait_for_function("Object.hasOwn(expost.q, 'push')")
    page.evaluate(
        "expost('identify', 'ann', {plan: 'pro', seats: 3});"
        "expost('group', 'account', 'acme', {tier: 'gold'});"
        "expost('exposure', {flag: 'new-checkout', variation: 'treatment', flag_version: 3, rule: 'everyone'});"
        "expost('set', {plan: 'pro'});"
        "expost('track', 'Order placed', {total: 12.5, items: ['boots', 'laces'], gift: false, note: null})"
    )
    page.click("button")
    page.evaluate("expost('reset')")
    page.click("button")
    return 8


def leaving(site: Site, page: Page) -> int:
    """A page that is left by a click."""
    site.page("<p>next</p>", path="/next")
    page.goto(site.page('<a href="/next">Next</a>'))
    page.click("a")
    return 4


def asked_for_more(site: Site, page: Page) -> int:
    """Reactions to clicks, a download, a copy, a frame in a frame, how far the page was scrolled."""
    site.pages["/inner"] = "<!doctype html><h1>Inner</h1><button title=Inside>In <b>here</b></button>"
    site.pages["/outer"] = "<!doctype html><iframe id=nested src=/inner></iframe>"
    open_with_more(
        site,
        page,
        "<main style='margin: 0; height: 200vh'><button onclick=\"this.className = 'sold'\">Buy</button>"
        '<p class="inert">Nothing</p><a class="file" href="/files/report.pdf?token=abc">Report</a>'
        '<iframe id="frame" src="/outer"></iframe></main>',
        also="dead-clicks frames scroll-depth downloads copy focusin",
    )
    page.evaluate(
        "document.body.style.margin = 0; addEventListener('click', event => event.preventDefault())"
    )
    for selector, count in (("main > button", 3), (".inert", 4), (".file", 7)):
        page.click(selector)
        site.wait_for_count(count)
    (inner,) = [frame for frame in page.frames if frame.url.endswith("/inner")]
    inner.click("b")
    page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('.inert')); document.execCommand('copy')"
    )
    page.evaluate(
        "new Promise(done => { addEventListener('scroll', done, {once: true}); scrollTo(0, innerHeight) })"
    )
    site.page("<p>next</p>", path="/next")
    page.goto(site.origin + "/next")
    return 12


SCENARIOS: tuple[Callable[[Site, Page], int], ...] = (
    plain_page,
    spa_with_shadow_dom,
    svg_in_buttons,
    forms,
    calls,
    leaving,
    asked_for_more,
)


def main() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # Playwright opens the debugging pipe itself and refuses to be told so.
        flags = [flag for flag in FLAGS if not flag.startswith("--remote-debugging")]
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        for scenario in SCENARIOS:
            name = scenario.__name__.replace("_", "-")
            if any(GOLDEN.glob(f"v1-{name}-*.json")) and "--again" not in sys.argv:
                continue
            with running_site() as site:
                page = chromium.new_context().new_page()
                count = scenario(site, page)
                site.wait_for_count(count)
                for number, batch in enumerate(site.batches, 1):
                    path = GOLDEN / f"v{batch['v']}-{name}-{number}.json"
                    path.write_text(json.dumps(batch, ensure_ascii=False, separators=(",", ":")) + "\n")
                    print(path.name, [event["type"] for event in batch["events"]])  # noqa: T201
        chromium.close()


if __name__ == "__main__":
    main()
