from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.snippet_site import Site

TRUTH = """([seed, count]) => {
  const all = [...document.querySelectorAll('body *')];
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const where = element => {
    const siblings = [...element.parentNode.children];
    const same = siblings.filter(s => s.localName === element.localName && s.namespaceURI === element.namespaceURI);
    return [element.localName, siblings.indexOf(element) + 1, siblings.length, same.indexOf(element) + 1, same.length,
      siblings.slice(0, siblings.indexOf(element)).reverse().slice(0, 20)
        .map(s => [s.localName, s.id || null, s.getAttribute('class')])];
  };
  const told = [];
  for (let n = 0; n < count; n++) {
    const element = all[Math.floor(random() * all.length)];
    const chain = [];
    for (let e = element; e && e !== document.documentElement; e = e.parentElement) chain.push(where(e));
    told.push(chain);
    element.dispatchEvent(new MouseEvent('click', {bubbles: true, composed: true}));
  }
  return told;
}"""  # fmt: skip


def path(event):
    return [(element["tag"], element["id"], element["class"]) for element in event["chain"]]


def test_a_click_on_an_inert_element_arrives_with_its_chain(site: Site, page: Page):
    page.goto(
        site.page('<main class="big  page"><p>one</p><div id="inert">nothing happens here</div></main>')
    )
    page.click("#inert")
    site.wait_for("page_view", "click")
    (click,) = site.of("click")
    assert path(click) == [
        ("div", "inert", None), ("main", None, "big  page"), ("body", None, None), ("html", None, None),
    ]  # fmt: skip
    assert [element["flags"] for element in click["chain"]] == [0, 0, 0, 4]
    assert [element["index"] for element in click["chain"]] == [2, 1, 2, 1]
    assert "text" not in click
    assert "label" not in click
    assert click["x"] > 0
    assert "trusted" not in click
    assert "nothing happens here" not in str(site.batches)


def test_a_click_inside_a_button_carries_its_label_and_the_shape_that_was_hit(site: Site, page: Page):
    page.goto(
        site.page(
            '<button class="buy"><svg class="icon" viewBox="0 0 9 9" width="40" height="40">'
            '<path d="M0 0h9v9H0z"/></svg><span> Buy\n  <b>now</b> </span></button>'
        )
    )
    page.click("path")
    page.click("b")
    page.click("button", position={"x": 3, "y": 3})
    site.wait_for("click", "click", "click")
    shape, bold, button = site.of("click")
    assert path(shape)[:3] == [("path", None, None), ("svg", None, "icon"), ("button", None, "buy")]
    assert shape["chain"][0]["state"] == 16 | 64
    assert shape["chain"][0]["names"] == ["d"]
    assert [event.get("label") for event in (shape, bold, button)] == ["Buy now"] * 3
    assert [event.get("text") for event in (shape, bold, button)] == [None, None, "Buy now"]


def test_open_shadow_trees_are_crossed_and_slots_are_no_ancestors(site: Site, page: Page):
    page.goto(
        site.page(
            "<outer-box id=host><i id=slotted>in a slot</i></outer-box><script>"
            "const tree = (host, html) => Object.assign(host.attachShadow({mode: 'open'}), {innerHTML: html});"
            "const outer = tree(host, '<section><slot></slot><inner-box></inner-box></section>');"
            "const inner = outer.querySelector('inner-box');"
            "tree(inner, '<em>deep</em><b></b>')</script>"
        )
    )
    page.click("em")
    page.click("#slotted")
    site.wait_for("click", "click")
    deep, slotted = site.of("click")
    assert [(element["tag"], element["flags"]) for element in deep["chain"]] == [
        ("em", 1), ("inner-box", 0), ("section", 1), ("outer-box", 0), ("body", 0), ("html", 4),
    ]  # fmt: skip
    assert [deep["chain"][0][name] for name in ("index", "count", "type_index", "type_count")] == [1, 2, 1, 1]
    assert [element["tag"] for element in slotted["chain"]] == ["i", "outer-box", "body", "html"]


def test_other_buttons_count_and_scripts_are_not_trusted(site: Site, page: Page):
    page.goto(site.page("<p>one</p><div>two</div>"))
    page.click("p", button="middle")
    page.evaluate(
        "document.querySelector('p').firstChild.dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    page.evaluate("document.dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    page.click("div")
    site.wait_for("click", "click")
    assert [(e["type"], e["chain"][0]["tag"], e.get("trusted", True)) for e in site.of("click", "auxclick")] == [
        ("auxclick", "p", True), ("click", "p", False), ("click", "div", True),
    ]  # fmt: skip


def test_places_among_siblings_are_those_of_the_document(site: Site, page: Page):
    rows = "".join(
        f'<{t} class="r{n}">{n}</{t}>' for n in range(260) for t in (["p", "p", "div", "x-y"][n % 4],)
    )
    shapes = "".join(f"<{['path', 'g', 'rect'][n % 3]} id=s{n} />" for n in range(130))
    nested = "".join(f"<div><p>a</p>text<!-- c --><b>b</b>{'<i>c</i>' * (n % 7)}</div>" for n in range(40))
    page.goto(
        site.page(f"<main>{rows}</main><svg>{shapes}</svg>{nested}<o:p>odd</o:p>" + "<o:p></o:p>" * 120)
    )
    page.wait_for_function("!!window.expost")
    truth = page.evaluate(TRUTH, [7, 150])
    site.wait(lambda site: len(site.of("click")) == 150)
    names = ("tag", "index", "count", "type_index", "type_count")
    captured = [
        [
            [
                *(element[name] for name in names),
                [[s["tag"], s["id"], s["class"]] for s in element["previous"]],
            ]
            for element in event["chain"][:-1]
        ]
        for event in site.of("click")
    ]
    assert captured == truth


def test_the_last_row_of_a_long_table_is_exact(site: Site, page: Page):
    page.goto(site.page("<table><tbody>" + "<tr><td>a<td>b" * 10_000 + "</table>"))
    page.wait_for_function("!!window.expost")
    page.evaluate("document.querySelector('tr:last-child td').click()")
    site.wait_for("click")
    (click,) = site.of("click")
    row = click["chain"][1]
    assert [row[name] for name in ("index", "count", "type_index", "type_count")] == [10_000] * 4
    assert len(row["previous"]) == 20


def test_a_chain_that_is_too_deep_is_cut_and_says_so(site: Site, page: Page):
    page.goto(site.page("<div>" * 200 + "<p>deep</p>" + "</div>" * 200))
    page.click("p")
    site.wait_for("click")
    (click,) = site.of("click")
    assert len(click["chain"]) == 128
    assert [element["flags"] for element in click["chain"]] == [0] * 127 + [2]


def test_state_bits_are_those_that_selectors_ask_for(site: Site, page: Page):
    page.goto(
        site.page(
            "<form><input type=checkbox checked><input id=q required><select><option selected></select>"
            "<fieldset disabled><button type=button>b</button></fieldset><details open><p>d</p></details>"
            "<textarea readonly></textarea><div contenteditable><b>e</b></div></form><p id=end>end</p>"
        )
    )
    page.wait_for_function("!!window.expost")
    selectors = (":checked", ":disabled", ":required", "[open]", ":read-only")
    truth = page.evaluate(
        """selectors => [...document.querySelectorAll('form *')].map(element => {
            element.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
            return selectors.reduce((state, selector, bit) => state | element.matches(selector) << bit, 0);
        })""",
        list(selectors),
    )
    site.wait(lambda site: len(site.of("click")) >= len(truth) - 1)
    states = {
        (e["chain"][0]["tag"], e["chain"][0]["index"]): e["chain"][0]["state"] for e in site.of("click")
    }
    assert states["option", 1] & 1
    assert states["fieldset", 4] & 2
    captured = [event["chain"][0]["state"] for event in site.of("click")]
    # A dispatched click toggles the box before anyone hears it, and back when it is over.
    assert captured[1:] == truth[1:]


def test_documents_in_quirks_mode_say_so(site: Site, page: Page):
    address = site.page("<p>old</p>")
    site.pages["/"] = site.pages["/"].removeprefix("<!doctype html>")
    page.goto(address)
    page.click("p")
    site.wait_for("click")
    assert all(element["state"] == 16 | 32 for element in site.of("click")[0]["chain"])


def test_a_form_whose_fields_have_the_names_of_its_properties_is_no_obstacle(site: Site, page: Page):
    names = (
        "parentNode",
        "children",
        "localName",
        "getAttribute",
        "nodeType",
        "attributes",
        "matches",
        "host",
    )
    fields = "".join(f'<input name="{name}" id="{name}_">' for name in names)
    page.goto(
        site.page(
            f'<form class="odd">{fields}<p>inside</p></form><script>'
            "Object.defineProperty(document.querySelector('p'), 'parentNode',"
            " {get() { throw Error('patched') }})</script>"
        )
    )
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.wait_for_function("!!window.expost")
    page.evaluate("document.querySelector('p').click()")
    site.wait_for("click")
    (click,) = site.of("click")
    assert [element["tag"] for element in click["chain"]] == ["p", "form", "body", "html"]
    assert click["chain"][0]["index"] == 9
    assert not errors


def test_the_element_is_described_as_it_was_before_the_page_changed_it(site: Site, page: Page):
    page.goto(
        site.page(
            '<div><button class="closed" onclick="this.className = \'open\'; this.remove()">x</button></div>'
        )
    )
    page.click("button")
    site.wait_for("click")
    assert path(site.of("click")[0])[:2] == [("button", None, "closed"), ("div", None, None)]
