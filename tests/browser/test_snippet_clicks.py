from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.snippet_site import Site


def test_a_click_on_an_inert_element_arrives_with_its_chain(site: Site, page: Page):
    page.goto(site.page('<main class="big  page"><p>one</p><div id="inert">nothing happens here</div></main>'))
    page.click("#inert")
    site.wait_for("page_view", "click")
    (click,) = site.of("click")
    assert [(e["tag"], e["id"], e["class"]) for e in click["chain"]] == [
        ("div", "inert", None), ("main", None, "big  page"), ("body", None, None), ("html", None, None),
    ]  # fmt: skip
    assert "nothing happens here" not in str(site.batches)
