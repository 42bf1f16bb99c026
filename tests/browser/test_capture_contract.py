"""docs/capture.md says what the snippet's source, Chromium, the collector and the selectors do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page

from expost.collector import masks
from expost.errors import SelectorError
from expost.lake.batch import Descriptor, Element
from expost.query import refusal
from expost.query.selector_parser import parse
from tests.browser.snippet_site import Site
from tests.query.markup import Captured, ElementLake

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs" / "capture.md").read_text("utf-8")
WIRE = (ROOT / "snippet" / "wire.md").read_text("utf-8")
SOURCE = {path.stem: path.read_text("utf-8") for path in (ROOT / "snippet" / "src").glob("*.ts")}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in CONTRACT.splitlines()
    if line.startswith("| ")
]
CSS = [(re.sub("^`` | ``$", "", row[0]), row[1]) for row in ROWS if row[0].startswith("`` ")]


def row(start: str) -> list[str]:
    (found,) = [row for row in ROWS if row[0].startswith(start)]
    return found


def words(start: str) -> set[str]:
    """The words in code of the one row that starts so."""
    return set(re.findall("`([^`]+)`", " ".join(row(start)[1:])))


def pattern(name: str, file: str) -> str:
    """The words of a regular expression of the source, groups spelled out."""
    found = re.search(rf"const {name}\s*=\s*/\^\((.*)\)\$/", SOURCE[file])
    assert found, f"{name} is no longer in {file}.ts"
    return found[1].replace("(aria|data)-.*", "aria-*|data-*").replace("-.*", "-*").replace("on.*", "on*")


def number(name: str, file: str) -> str:
    found = re.search(rf"const {name} = ([\d_]+);", SOURCE[file])
    assert found, f"{name} is no longer in {file}.ts"
    return f"{int(found[1]):,}"


def test_the_lists_of_attributes_are_those_of_the_source():
    never = set(pattern("NEVER", "descriptor").split("|"))
    addresses = set(pattern("ADDRESS", "descriptor").split("|"))
    clear = set(pattern("CLEAR", "descriptor").split("|"))
    assert words("never taken, not even") == never
    assert words("value kept without") == addresses
    assert words("value kept, up to") == clear - addresses
    assert words("value kept in an element") == set(pattern("MASKED_CLEAR", "descriptor").split("|"))
    assert addresses - {"data-*"} <= masks.ADDRESSES  # and `data-*` by its beginning
    for name in never:
        assert masks.NEVER.match(name.replace("*", "click"))
        assert refusal.of_attribute(name.replace("*", "click")) is refusal.NEVER_CAPTURED
    for name in clear | words("name only") - {"xlink:href"}:
        assert refusal.of_attribute(name.replace("*", "x")) is None


def test_the_limits_are_those_of_the_source():
    assert f"up to {number('LIMIT', 'descriptor')} characters" in row("value kept, up to")[0]
    assert f"`class`: {number('CLASS_LIMIT', 'descriptor')}" in row("value kept, up to")[0]
    assert f"up to {number('TEXT_LIMIT', 'batch')} characters" in row("`label`")[1]
    assert f"nearest {number('PREVIOUS', 'place')}," in row("previous siblings")[1]
    assert f"up to {number('DEPTH', 'element')}, through" in CONTRACT
    assert row("attribute over")[0] == (
        f"attribute over {number('LIMIT', 'descriptor')} characters, `class` over "
        f"{number('CLASS_LIMIT', 'descriptor')}, text over {number('TEXT_LIMIT', 'batch')}, title over "
        f"{number('LIMIT', 'view')}, page address over {number('ADDRESS_LIMIT', 'view')}"
    )


def test_the_lists_of_what_has_text_are_those_of_the_source():
    text = SOURCE["text"]
    button = re.search(r'const BUTTON = "(.*)";', text)
    roles = re.search(r'const ROLES = ",(.*)";', text)
    interactive = re.search(r'const INTERACTIVE = "(.*)," \+ BUTTON \+ ROLES;', text)
    silent = re.search(r'const SILENT = "(.*)";', text)
    assert button
    assert roles
    assert interactive
    assert silent
    kinds = set(re.findall(r"type=(\w+)", button[1])) | set(re.findall(r"role=(\w+)", roles[1]))
    assert words("interactive") == set(interactive[1].split(",")) | {"input"} | kinds
    assert words("no text comes") == set(silent[1].split(","))


def test_the_events_are_those_of_the_wire_and_cover_the_source():
    documented = {
        word for row in ROWS for word in re.findall("`([a-z_]+)`", " ".join(row[:2])) if len(row) == 3
    }
    (listed,) = re.findall(r"\| `type` \| `(.*)` \|", WIRE)
    assert set(listed.split()) <= documented
    captured = set(re.findall(r'capture\("(\w+)"', " ".join(SOURCE.values())))
    (heard,) = re.findall(r"listenTo\(window, (.*)\)", SOURCE["listeners"])
    captured |= set(re.findall(r'"(\w+)"', heard)) - {"focusin"}  # only to find shadow roots
    assert captured <= documented


MORE = {path.stem: path.read_text("utf-8") for path in (ROOT / "snippet" / "src" / "more").glob("*.ts")}


def test_what_a_site_may_ask_for_besides_is_that_of_the_source():
    start = CONTRACT.index("### Where a site asks for more")
    section = CONTRACT[start : CONTRACT.index("## Elements")]
    features = re.search(r"const FEATURES[^{]*{(.*?)};", MORE["main"], re.DOTALL)
    frames = re.search(r'const FRAMES = "(.*)";', MORE["main"])
    assert features
    assert frames
    asked = set(re.findall(r'^ {2}"?([\w-]+)"?:', features[1], re.MULTILINE)) | {frames[1]}
    # Who points at a page (docs/definer.md) captures nothing by it.
    assert asked - {"definer"} == set(re.findall(r"^\| `([\w-]+)`", section, re.MULTILINE))
    reactions = re.search(r"type Reaction = (.*);", MORE["reactions"])
    assert reactions
    rows = re.findall(r"^\| ([a-z, ]+) \|", section[section.index("| reaction |") :], re.MULTILINE)
    documented = {word for row in rows for word in row.split(", ")} - {"reaction"}
    assert documented == set(re.findall(r'"(\w+)"', reactions[1])) | {"none"}
    for name, words in (("WAIT_MS", "none"), ("ANSWER_MS", "request")):
        (value,) = re.findall(rf"const {name} = ([\d_]+);", MORE["clicks"])
        assert f"{int(value):,} ms" in row(words)[1]


def test_the_types_of_event_that_are_not_taken_are_those_of_the_source(page: Page):
    (pattern_,) = re.findall(r"const ENDLESS =\s*/(.*)/;", MORE["types"])
    start = CONTRACT.index("What would be told without end")
    documented = set(
        re.findall("`([a-z]+)`", CONTRACT[start : CONTRACT.index("Dead clicks are no property")])
    )
    assert {name for name in documented if not re.search(pattern_, name)} == set()
    known = page.evaluate(
        """() => {
          const names = new Set();
          for (const { prototype } of [Window, Document, Element, HTMLElement, SVGElement, HTMLMediaElement])
            for (const name in prototype) if (name.startsWith('on')) names.add(name.slice(2));
          for (const name in window) if (name.startsWith('on')) names.add(name.slice(2));
          return [...names];
        }"""
    )
    assert len(known) > 80
    assert {name for name in known if re.search(pattern_, name)} <= documented


def test_the_pseudo_classes_that_are_refused_are_those_of_the_parser():
    start = CONTRACT.index("Refused by name")
    documented = set(re.findall("`([^`]+)`", CONTRACT[start:]))
    assert documented == set(refusal._BY_NAME)
    for name in documented:
        with pytest.raises(SelectorError):
            parse(f":{name}")


ATTRIBUTES = """(names) => {
  const button = document.querySelector("button");
  for (const name of names) button.setAttribute(name, name === "type" ? "button" : "x");
  button.click();
}"""


def element_of(event: dict[str, Any]) -> Any:
    return event["chain"][0]


def test_chromium_sends_of_each_attribute_what_the_contract_says(site: Site, page: Page):
    clear = {name.replace("*", "x") for name in words("value kept, up to") | words("value kept without")}
    never = {name.replace("*", "click") for name in words("never taken, not even")}
    others = words("name only")
    page.goto(site.page("<button>Buy</button>"))
    page.wait_for_function("!!window.expost")
    page.evaluate("document.querySelector('button').disabled = false")
    page.evaluate(ATTRIBUTES, sorted((clear | never | others) - {"disabled"}))
    page.evaluate(
        "document.querySelector('button').dataset.expostMask = ''; document.querySelector('button').click()"
    )
    site.wait_for("click", "click")
    whole, masked = map(element_of, site.of("click"))
    assert set(whole["attributes"]) | {"id", "class"} == clear - {"disabled"}
    assert (whole["id"], whole["class"]) == ("x", "x")
    assert set(whole["names"]) == others
    assert masked["attributes"] == {}
    assert (masked["id"], masked["class"]) == ("x", "x")
    assert set(masked["names"]) == (clear | others | {"data-expost-mask"}) - {"disabled", "id", "class"}


PAGE = f"""
<form id="signup"><ul><li>1<li>2<li><button type="button" class="primary">3</button></ul></form>
<h2>Top</h2><p><b>bold</b></p>
<input type="checkbox"><x-field></x-field><ol>{"<li class=row>" * 30}</ol>
<a href="/product/7?token=abc" title="{"x" * 300}more" download="x" data-plan="pro" aria-expanded="true">A</a>
"""


def test_css_gets_the_answer_that_the_contract_says(site: Site, page: Page):
    page.goto(site.page(PAGE))
    page.wait_for_function("!!window.expost")
    page.evaluate(
        "addEventListener('click', (event) => event.preventDefault());"
        "for (const found of document.querySelectorAll('button, b, p, a, input, x-field, li:nth-child(30)'))"
        "  found.click()"
    )
    site.wait_for(*["click"] * 7)
    (batch,) = {id(event["batch"]): event["batch"] for event in site.of("click")}.values()
    descriptors = msgspec.convert(batch["descriptors"], list[Descriptor])
    lake = ElementLake(Captured(descriptors, msgspec.convert(batch["elements"], list[Element])))
    answers = {}
    for selector, _ in CSS:
        try:
            found = set(lake.ask(selector).matches.values())
            answers[selector] = "exact" if found == {True} else "unknown" if found == {None} else str(found)
        except SelectorError:
            answers[selector] = "refused"
    assert answers == dict(CSS)
    assert {answer for _, answer in CSS} == {"exact", "unknown", "refused"}
