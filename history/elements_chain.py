"""PostHog's `elements_chain`, one text for an element and what is around it, as elements of ours.

    span:nth-child="1"nth-of-type="1"text="Buy";button.btn.primary:attr__class="btn primary"nth-child="2"nth-of-type="1"

It names the target first, then its parent and so on, up to `body`. What it does not tell is unknown here, and a
selector that would need it answers so: how many siblings there are (a count of 0 stands for that), what they are, and
what stands behind the place from which a chain cannot be read, because it was cut there, say.

Only quotes are escaped in it, with a backslash; a backslash that is part of a value stands as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from expost.lake.batch import CHAIN_CUT, DISABLED, OPEN, READ_ONLY, REQUIRED, ROOT, SVG, Descriptor, Element

from .foreign import Chain

UNKNOWN_COUNT = 0
MAX_ELEMENTS = 500
MAX_VALUE, MAX_CLASS, MAX_ID = 200, 1_000, 200
PLACES = ("nth-child", "nth-of-type")
MAX_PLACE = 1_000_000

_ATTRIBUTE = re.compile(r'([^"=;]+)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_FIRST_ATTRIBUTE = re.compile(r':(?=(?:attr_[^"=;]*|href|nth-child|nth-of-type|text)="|;|\Z)')
"""The colon before the attributes: PostHog knows no other names."""

UNREAD = "unread"
"""The name of the element that stands for one of which nothing can be read."""

_CLEAR_NAMES = """
    name type role method for title alt rel target placeholder lang dir tabindex disabled checked required open
    hidden href src action
"""
_CLEAR = frozenset(_CLEAR_NAMES.split())
"""The attributes that capture keeps with their values, beside `aria-` and `data-`."""

_NEVER = re.compile(r"(?:value|style|srcdoc|nonce|on.*)\Z", re.IGNORECASE | re.DOTALL)
_STATES = {"disabled": DISABLED, "required": REQUIRED, "open": OPEN, "readonly": READ_ONLY}


class Link(NamedTuple):
    """One element of a chain: its tag, what is said of it by PostHog's names, and the classes beside the tag."""

    tag: str
    said: dict[str, str]
    classes: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A chain as ours, the text that PostHog kept of its target, and why the rest of it cannot be read."""

    chain: Chain
    text: str
    problem: str = ""


def read_chain(written: str) -> Read:
    """The chain that is written so, as far as it can be read: of what comes then nothing is known."""
    links, problem = parse(written)
    if len(links) > MAX_ELEMENTS:
        links, problem = links[:MAX_ELEMENTS], f"its chain has more than {MAX_ELEMENTS} elements"
    text = links[0].said.get("text", "") if links else ""
    if not links:
        # With the outer part cut off, every selector may match: it answers unknown.
        return Read(Chain([Descriptor(UNREAD)], [Element(0, flags=CHAIN_CUT)]), text, problem)
    descriptors: list[Descriptor] = []
    elements: list[Element] = []
    is_whole = not problem and links[-1].tag in ("body", "html")
    if is_whole and links[-1].tag == "body":
        # It always stands in one, of which PostHog tells nothing: taken as an element without id and class.
        descriptors.append(Descriptor("html"))
        elements.append(Element(0, flags=ROOT))
    is_in_svg = False
    for link in reversed(links):
        is_in_svg = (is_in_svg or link.tag == "svg") and link.tag != "foreignobject"
        descriptors.append(_descriptor(link, is_svg=is_in_svg))
        flags = 0 if elements else (ROOT if link.tag == "html" else 0) | (0 if is_whole else CHAIN_CUT)
        elements.append(_element(link, len(descriptors) - 1, len(elements) - 1, flags))
    return Read(Chain(descriptors, elements), text, problem)


def parse(written: str) -> tuple[list[Link], str]:
    r"""The elements of a chain as it is written, the target first, and why what comes then cannot be read.

    >>> links, problem = parse(r'a.buy:attr__title="\"x; y\""nth-child="2"nth-of-type="1";body:nth-child="2"nth-of-ty')
    >>> links
    [Link(tag='a', said={'attr__title': '"x; y"', 'nth-child': '2', 'nth-of-type': '1'}, classes='buy')]
    >>> problem
    "its elements_chain cannot be read at 'nth-of-ty'"
    """
    links: list[Link] = []
    place = 0
    while place < len(written):
        end = _end_of_name(written, place)
        tag, _, classes = written[place:end].partition(".")
        said: dict[str, str] = {}
        at = place
        place = end + 1
        if end < len(written) and written[end] == ":":
            while found := _ATTRIBUTE.match(written, place):
                said[found[1]] = found[2].replace('\\"', '"')
                place = found.end()
            if place < len(written) and written[place] != ";":
                return links, f"its elements_chain cannot be read at {written[place : place + 30]!r}"
            place += 1
        link = Link(tag.strip().lower(), said, classes.replace(".", " "))
        problem = _problem(link, written[at : at + 30])
        if problem:
            return links, problem
        links.append(link)
    return links, "" if links else "its elements_chain is empty"


def _problem(link: Link, written: str) -> str:
    if not link.tag:
        return f"an element of its elements_chain has no name, at {written!r}"
    for name in PLACES:
        said = link.said.get(name, "")
        if not said.isdigit() or not 0 < int(said) <= MAX_PLACE:
            return f"an element of its elements_chain has no {name}, at {written!r}"
    return ""


def _end_of_name(written: str, place: int) -> int:
    # Classes stand between the name and the colon, and a class may hold a colon itself (`md:flex`).
    semicolon = written.find(";", place)
    start = _FIRST_ATTRIBUTE.search(written, place)
    ends = [each for each in (semicolon, start.start() if start else -1) if each >= 0]
    return min(ends, default=len(written))


def _descriptor(link: Link, *, is_svg: bool) -> Descriptor:
    kept: dict[str, str] = {}
    names: list[str] = []
    marks: list[str] = []
    said = {
        name.removeprefix("attr__"): value for name, value in link.said.items() if name.startswith("attr__")
    }
    dom_id = said.pop("id", link.said.get("attr_id"))
    # The attribute is verbatim, and missing in old exports.
    class_name = said.pop("class", link.classes or None)
    if "href" in link.said:
        said.setdefault("href", link.said["href"])
    state = SVG if is_svg else 0
    for name, value in said.items():
        state |= _STATES.get(name, 0)
        if _NEVER.match(name) or len(name) > MAX_VALUE:
            continue
        if name in _CLEAR or name.startswith(("aria-", "data-")):
            kept[name] = _cut(name, value, MAX_VALUE, marks)
        else:
            names.append(name)
    return Descriptor(
        link.tag[:MAX_VALUE],
        None if dom_id is None else _cut("id", dom_id, MAX_ID, marks),
        None if class_name is None else _cut("class", class_name, MAX_CLASS, marks),
        kept,
        sorted(names),
        state,
        marks,
    )


def _cut(name: str, value: str, limit: int, marks: list[str]) -> str:
    if len(value) <= limit:
        return value
    marks.append(name)
    return value[: limit - 1] + "…"


def _element(link: Link, descriptor: int, parent: int, flags: int) -> Element:
    index, type_index = (int(link.said[name]) for name in PLACES)
    return Element(descriptor, parent, index, UNKNOWN_COUNT, type_index, UNKNOWN_COUNT, [], flags)
