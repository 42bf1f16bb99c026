"""A small language for tests: who did what, when.

    lake.capture("ann", view("/cart"), click("form.signup button.buy"), at="10:00")
    lake.capture("ann", identify("ann@shop.example", plan="pro"), at="10:05")
    lake.capture("ann", expose("new-checkout", "treatment"), track("Paid", amount=12), at="2026-03-03 09:00")
    lake.sql("select count(*) from events")

`capture` takes one device's actions as one batch. The first happens at `at`, each next one `apart` seconds later. `at`
is a time of day on Monday 2026-03-02, or a day and a time, in UTC. Actions go through the same rows and commits as real
ones; they are stored together when something is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from expost.clock import to_micros
from expost.ids import uuid7
from expost.lake.batch import ROOT, SHADOW_CHILD, Accepted, Descriptor, Element, Event, Page, View
from expost.lake.folder import Folder, open_folder
from expost.lake.reader import connect
from expost.lake.writer import Writer

FIRST_DAY = "2026-03-02"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Action:
    """Something one device does: an event of `type`, on the element that `where` describes."""

    type: str
    where: str = ""
    path: str | None = None
    is_new_page: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    put_on: Mapping[str, Any] | None = None


def view(path: str = "/", *, spa: bool = False, **fields: Any) -> Action:
    """A page view. A new document, or with `spa` a navigation inside the one that is open."""
    return Action("page_view", path=path, is_new_page=not spa, fields=fields)


def click(where: str, **fields: Any) -> Action:
    """A click on the last element of `where`: `my-cart >>> ul li:nth(2,3) button#b.buy[type=submit]`.

    `>>>` enters a shadow tree, or before `html` the document of a frame; `:nth(2,3)` is the second of three siblings;
    `html > body` stand around it all.
    """
    return Action("click", where, fields=fields)


def change(where: str, **fields: Any) -> Action:
    """A change of a field."""
    return Action("change", where, fields=fields)


def submit(where: str, **fields: Any) -> Action:
    """A form that is sent."""
    return Action("submit", where, fields=fields)


def track(name: str, **properties: Any) -> Action:
    """A custom event."""
    return Action("custom", fields={"name": name, "properties": properties})


def identify(user: str, **traits: Any) -> Action:
    """The site says who this device's user is."""
    return Action("identify", fields={"user": user, "traits": traits})


def group(group_type: str, group_id: str, **traits: Any) -> Action:
    """The site says which group the user belongs to."""
    return Action("group", fields={"group_type": group_type, "group": group_id, "traits": traits})


def expose(flag: str, variation: str, **fields: Any) -> Action:
    """The device was shown a variation of a flag."""
    return Action("exposure", fields={"flag": flag, "variation": variation, **fields})


def leave(dwell_ms: int = 0) -> Action:
    """The page is left: the last event of a visit of it."""
    return Action("page_leave", fields={"properties": {"dwell_ms": dwell_ms}})


def put_on(**properties: Any) -> Action:
    """Properties of every later event of this device; no event of its own."""
    return Action("", put_on=properties)


@dataclass
class OpenPage:
    """The document that a device has open."""

    id: str
    start: int
    path: str = "/"
    ordinal: int = 1
    seq: int = 0


class Story:
    """A lake that tests fill by telling who did what. Give it an empty folder."""

    def __init__(self, path: Path, site: str = "shop", host: str = "shop.example") -> None:
        self.folder: Folder = open_folder(path, create=True)
        self.site = site
        self.host = host
        self.waiting: list[Accepted] = []
        self._segment = 0
        self._drawn = 0
        self._pages: dict[str, OpenPage] = {}
        self._properties: dict[str, dict[str, Any]] = {}

    @property
    def path(self) -> Path:
        """The data folder, with everything told so far in it."""
        self.store()
        return self.folder.path

    def capture(
        self,
        device: str,
        *actions: Action,
        at: str,
        apart: float = 1.0,
        on_server: bool = False,
        **batch: Any,
    ) -> Accepted:
        """One device does something; other fields of the batch (`user_agent`, `environment`, `consent`, …) by name."""
        start = moment(at)
        chains = Chains()
        views: list[View] = []
        sets: list[dict[str, Any]] = []
        events: list[Event] = []
        now = start
        page = None if on_server else self._pages.get(device) or self._open(device, start, "/")
        for action in actions:
            if action.put_on is not None:
                self._properties[device] = self._properties.get(device, {}) | dict(action.put_on)
                continue
            if action.path is not None and page is not None:
                if action.is_new_page and (events or page.seq):
                    if events:
                        self._keep(device, page, now, views, sets, chains, events, batch)
                        chains, views, sets, events = Chains(), [], [], []
                    page = self._open(device, now, action.path)
                page.path = action.path
            worn = self._properties.get(device, {})
            if worn and (not sets or sets[-1] != worn):
                sets.append(dict(worn))
            if page is not None:
                url = f"https://{self.host}{page.path}"
                if not views or views[-1].url != url:
                    views.append(View(url, title=page.path))
                page.seq += 1
            events.append(
                Event(
                    id=uuid7(now, self.draw()),
                    type=action.type,
                    t=(now - page.start) / 1_000 if page else 0.0,
                    time=None if page else now / 1_000,
                    seq=page.seq if page else 0,
                    view=max(len(views) - 1, 0),
                    el=chains.add(action.where) if action.where else -1,
                    set=len(sets) - 1 if worn else -1,
                    **action.fields,
                )
            )
            now += round(apart * 1_000_000)
        return self._keep(device, page, now, views, sets, chains, events, batch)

    def store(self) -> None:
        """Put what was told into the lake, as one segment."""
        if self.waiting:
            self._segment += 1
            with Writer(self.folder, clock=lambda: self.waiting[-1].received_at) as writer:
                ingested = writer.ingest(self._segment, self.waiting)
            assert not ingested.rejected, ingested.rejected
            self.waiting.clear()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection to everything told so far."""
        return connect(self.path)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query over everything told so far."""
        with self.connect() as connection:
            return connection.execute(query).fetchall()

    def _keep(
        self,
        device: str,
        page: OpenPage | None,
        until: int,
        views: list[View],
        sets: list[dict[str, Any]],
        chains: Chains,
        events: list[Event],
        batch: Mapping[str, Any],
    ) -> Accepted:
        accepted = Accepted(
            site=self.site,
            received_at=until,
            consent="full",
            is_imported=False,
            is_internal=False,
            device=device,
            user_agent=BROWSER if page else "",
            sent_at=until / 1_000,
            session=1,
            release="1.0",
            environment="production",
            viewport=[1280, 720] if page else [],
            page=Page(page.id, page.start / 1_000, page.ordinal) if page else None,
            views=views,
            sets=sets,
            descriptors=chains.descriptors,
            elements=chains.elements,
            events=events,
        )
        accepted = msgspec.structs.replace(accepted, **batch)
        self.waiting.append(accepted)
        return accepted

    def _open(self, device: str, start: int, path: str) -> OpenPage:
        before = self._pages.get(device)
        ordinal = before.ordinal + 1 if before else 1
        page = self._pages[device] = OpenPage(uuid7(start, self.draw()), start, path, ordinal)
        return page

    def draw(self) -> bytes:
        """Random parts of ids that only grow, so that a story is the same at every run."""
        self._drawn += 1
        return self._drawn.to_bytes(10, "big")


class Chains:
    """The element tables of one batch, built from chains in words."""

    def __init__(self) -> None:
        self.descriptors: list[Descriptor] = []
        self.elements: list[Element] = []
        self._places: dict[tuple[int, str, bool], int] = {}

    def add(self, where: str) -> int:
        """The place of the innermost element of `where`."""
        place = self._element(self._element(-1, "html", False), "body", False)
        is_shadow = False
        for word in where.replace(">>>", " >>> ").split():
            if word == ">":
                continue
            if word == ">>>":
                is_shadow = True
                continue
            place = self._element(place, word, is_shadow)
            is_shadow = False
        return place

    def _element(self, parent: int, word: str, is_shadow: bool) -> int:
        key = (parent, word, is_shadow)
        if key not in self._places:
            descriptor, index, count = described(word)
            if descriptor not in self.descriptors:
                self.descriptors.append(descriptor)
            is_root = parent < 0 or (is_shadow and descriptor.tag == "html")
            flags = (ROOT if is_root else 0) | (SHADOW_CHILD if is_shadow else 0)
            position = self.descriptors.index(descriptor)
            self.elements.append(Element(position, parent, index, count, index, count, [], flags))
            self._places[key] = len(self.elements) - 1
        return self._places[key]


_WORD = re.compile(
    r"(?P<tag>[\w-]+)|#(?P<id>[\w-]+)|\.(?P<class>[\w-]+)"
    r"|\[(?P<name>[\w-]+)(?:=(?P<value>[^\]]*))?\]|:nth\((?P<index>\d+),(?P<count>\d+)\)"
)


def described(word: str) -> tuple[Descriptor, int, int]:
    """`button#b.buy.big[type=submit]:nth(2,3)` as a descriptor with its place among its siblings."""
    tag, dom_id, classes, attributes, index, count = "div", None, [], {}, 1, 1
    end = 0
    while end < len(word):
        part = _WORD.match(word, end)
        if part is None:
            raise ValueError(f"{word!r} is no element in words, from {word[end:]!r} on")
        end = part.end()
        tag = part["tag"] or tag
        dom_id = part["id"] or dom_id
        if part["class"]:
            classes.append(part["class"])
        if part["name"]:
            attributes[part["name"]] = (part["value"] or "").strip("\"'")
        if part["index"]:
            index, count = int(part["index"]), int(part["count"])
    return Descriptor(tag, dom_id, " ".join(classes) or None, attributes), index, count


def moment(at: str) -> int:
    """Microseconds of `10:00`, `10:00:30` or `2026-03-03 10:00`, in UTC."""
    text = at if "-" in at else f"{FIRST_DAY} {at}"
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def small_rich_lake(lake: Story) -> Story:
    """Ann and Bob buy, each in one variation; Cyd looks; a bot and a colleague pass by; a week later Ann is back."""
    for device, variation, start in (("ann", "treatment", "10:00"), ("bob", "control", "11:00")):
        lake.capture(
            device,
            view("/"),
            expose("new-checkout", variation),
            click("main article.tea:nth(2,4) a.more", label="Green tea"),
            view("/cart"),
            click("main form.cart button#buy.buy[type=submit] span", label="Buy now"),
            identify(f"{device}@shop.example", plan="pro"),
            track("Paid", amount=12.5, currency="EUR"),
            at=start,
        )
    lake.capture("cyd", view("/"), click("my-search >>> button.go", label="Search"), at="12:00")
    lake.capture(
        "crawler", view("/"), at="12:30", user_agent="Googlebot/2.1 (+http://www.google.com/bot.html)"
    )
    lake.capture("colleague", view("/"), click("main form.cart button#buy.buy"), at="12:40", is_internal=True)
    lake.capture("tester", view("/"), at="12:50", environment="staging")
    lake.capture("ann", view("/account"), click("nav a.orders", label="Orders"), at="2026-03-09 09:00")
    lake.capture("", track("Refunded"), at="2026-03-10 09:00", on_server=True)
    return lake
