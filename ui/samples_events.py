"""Made-up events, definitions and what is told of them, for the patterns page and for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from expost.query.definition import definition
from expost.query.difference import ChangedEvent, Difference, DifferenceAnswer, Side
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.health import DefinitionHealth, Health, HealthAnswer, Repair
from expost.query.level import Level
from expost.query.live import Live, LiveAnswer, LiveEvent
from expost.query.overlap import Overlap
from expost.query.preview import Counted, Day, Preview, PreviewAnswer, SampleElement
from expost.query.suggested import AvoidedToken, Suggestion, Suggestions, SuggestionsAnswer
from expost.query.unknown import UnknownReason
from expost.query.unnamed import Unnamed, UnnamedAnswer, UnnamedGroup

from .samples import NASTY, NOW, basis


def level(
    distance: int, descriptor: str, *, shadow: bool = False, match: bool = False, events: int | None = None
) -> Level:
    """One element of a chain."""
    tag = descriptor.split(".", maxsplit=1)[0].split("#", maxsplit=1)[0].split("[", maxsplit=1)[0]
    classes = tuple(descriptor.split(".")[1:])
    dom_id = descriptor.split("#")[1].split(".", maxsplit=1)[0] if "#" in descriptor else None
    return Level(
        distance, str(distance + 1), descriptor, tag, dom_id, classes, {"type": "submit"} if tag == "button" else {},
        1, 3, 1, 1, shadow, match, descriptor, events,
    )  # fmt: skip


def chain() -> tuple[Level, ...]:
    """The way from an icon in a button in a web component up to the page."""
    names = (
        ("path", 212), ("svg.icon", 212), ("button.add.primary", 431), ("div.actions", 431), ("tea-card.featured", 506),
        ("li.tea", 790), ("ul.teas", 1_804), ("main#shop", 3_960), ("body.theme-light", 5_112), ("html", 5_112),
    )  # fmt: skip
    return tuple(
        level(distance, name, shadow=name == "div.actions", match=name.startswith("button"), events=events)
        for distance, (name, events) in enumerate(names)
    )


def live_event(place: int, **said: Any) -> LiveEvent:
    """One event of the live page."""
    kinds: tuple[dict[str, Any], ...] = (
        {
            "type": "click",
            "label": "Add to basket",
            "chain": "main#shop › li.tea › button.add.primary › svg.icon",
        },
        {"type": "page_view", "title": "Green teas", "path": "/teas/green"},
        {"type": "exposure", "flag": "new-checkout", "variation": "treatment"},
        {"type": "change", "label": "Quantity", "chain": "form.basket › select[name=quantity]"},
        {"type": "custom", "name": "order placed"},
        {"type": "submit", "label": "Sign up", "chain": "main › form.signup"},
        {"type": "click", "label": None, "text": None, "chain": "main#shop › figure.hero"},
    )
    moment = NOW - timedelta(seconds=7 * place)
    base: dict[str, Any] = {
        "event_id": f"019a{place:028x}", "time": moment, "received_at": moment, "type": "click", "name": None,
        "label": None, "text": None, "host": "shop.example", "path": "/tea/sencha", "title": "Sencha",
        "person_id": str(83_920_174 * (place % 5 + 3)),
        "person": "ann@example.org" if place % 3 == 0 else None, "chain": None, "flag": None, "variation": None,
        "is_bot": place == 4, "is_internal": False, "environment": "production",
    }  # fmt: skip
    return LiveEvent(**{**base, **kinds[place % len(kinds)], **said})


TYPES = ("click", "page_view", "change", "exposure", "custom", "submit", "identify", "web_vital")


def live(count: int = 14, total: int = 18_204, **said: Any) -> LiveAnswer:
    """The latest events."""
    return LiveAnswer(
        Live(), basis(), tuple(live_event(place, **said) for place in range(count)), total, TYPES
    )


def event(**said: Any) -> EventAnswer:
    """One event whole: a click, unless another type is said."""
    row = {
        "event_id": "019a0000-0000-7000-8000-000000000001", "time": NOW, "received_at": NOW, "site": "teashop",
        "type": "click", "name": None, "label": "Add to basket", "text": "Add", "host": "shop.example",
        "path": "/tea/sencha", "title": "Sencha", "person_id": "83920174", "device": "019a4f", "user": None, "x": 640,
        "y": 212, "referrer": "https://search.example/?q=…", "is_bot": False, "properties": '{"plan": "pro"}', **said,
    }  # fmt: skip
    elements = chain() if row["type"] in ("click", "auxclick", "change", "submit") else ()
    return EventAnswer(EventDetail(str(row["event_id"])), basis(), row, elements)


UNKNOWN_REASONS = (
    UnknownReason("not_whole", "class was cut or masked", 2),
    UnknownReason("name_only", "data-plan is kept by name only", 1),
)


def suggestions(place: int = 2) -> SuggestionsAnswer:
    """Suggested selectors of every kind for a level of the chain, one with a text that wants to be markup."""
    meant = chain()[place]
    everywhere = "there on all 41 days and in all 4 releases"
    once = "finds 1 of the 12 buttons used on its page"
    found = (
        Suggestion(meant.selector or "*", None, "class", f"the classes .add and .primary, {everywhere}; {once}",
                   0.93, 431, 41, 4, 0, 0, 1),
        Suggestion("button.add", None, "class", f"the class .add, {everywhere}; finds 3 of the 12 buttons used on "
                   "its page; also gathers 120 events of 2 other things", 0.41, 431, 41, 4, 120, 2, 3),
        Suggestion("button", NASTY, "text", f"the text “{NASTY}”, there on 9 of 41 days and in 1 of 4 releases; {once}",
                   0.12, 90, 9, 1, 0, 0, 1),
        Suggestion("div.actions > button.add:nth-of-type(2)", None, "place",
                   f"its place among its siblings, {everywhere}; {once}", 0.1, 431, 41, 4, 0, 0, 1),
    )  # fmt: skip
    avoided = (
        AvoidedToken(".css-1q2w3e", "there in one of the 4 releases of its pages"),
        AvoidedToken(".is-open", "comes and goes: there at 120 of 431 events"),
    )
    question = Suggestions("019a0000-0000-7000-8000-000000000001", level=place)
    return SuggestionsAnswer(
        question, basis(), meant.descriptor, place, "click", 431, 41, 4, 12, found, avoided,
    )  # fmt: skip


def unnamed(count: int = 6) -> UnnamedAnswer:
    """Interactions without a name, one of them called something that wants to be markup."""
    last = NOW - timedelta(hours=3)
    found = (
        UnnamedGroup("Clicked Add to bag", "click", '[data-testid="add"]', None, 1_431, 872, 0, last, "/teas", 9, "a"),
        UnnamedGroup("Clicked Pricing", "click", "nav.site a", "Pricing", 612, 540, 0, last, "/", 4, "b"),
        UnnamedGroup("Submitted form news on /", "submit", "form.news", None, 201, 198, 0, last, "/", 1, "c"),
        UnnamedGroup("Changed Quantity", "change", 'input[name="quantity"]', None, 190, 96, 12, last, "/cart", 1, "d"),
        UnnamedGroup(f"Clicked {NASTY}", "click", "button", NASTY, 88, 61, 0, last, "/tea/assam", 2, "e"),
        UnnamedGroup("Copy item tea on /teas", "copy", "ul.teas li.tea", None, 12, 9, 0, last, "/teas", 1, "f"),
    )[:count]  # fmt: skip
    if not count:
        return UnnamedAnswer(Unnamed(), basis(), 0, 0, 0, (), 0, 0)
    return UnnamedAnswer(Unnamed(), basis(), sum(each.events for each in found), 1_204, 12, found, 34, 210)


def preview(events: int = 431, unknown: int = 3, name: str = "Added to basket") -> PreviewAnswer:
    """The past of a definition."""
    first = NOW.date() - timedelta(days=89)
    shape = [max(0, (place * 7919) % 11 - (4 if place % 7 in (5, 6) else 1)) for place in range(90)]
    days = tuple(
        Day(first + timedelta(days=place), count if events else 0) for place, count in enumerate(shape)
    )
    texts = (
        Counted("Add to basket", 301),
        Counted("In den Korb", 96),
        Counted("Add", 22),
        Counted(NASTY, 9),
        Counted("", 3),
    )
    pages = (Counted("/tea/sencha", 204), Counted("/tea/assam", 131), Counted("/teas/green", 96))
    return PreviewAnswer(
        question=Preview(definition("preview", click="button.add")),
        basis=basis(names=[name], unknown=unknown),
        name=name,
        events=events,
        people=events * 2 // 5,
        unknown=unknown,
        first_seen=NOW - timedelta(days=88) if events else None,
        last_seen=NOW if events else None,
        days=days,
        texts=texts if events else (),
        pages=pages if events else (),
        distinct_texts=17 if events else 0,
        distinct_pages=3 if events else 0,
        samples=(SampleElement("3", 301, chain()), SampleElement("4", 130, chain()[2:])) if events else (),
        overlaps=(Overlap("Bought tea", 2, events, 1.0, 1.0), Overlap(NASTY, 1, events // 3, 1 / 3, 0.02))
        if events
        else (),
        unknown_share=unknown / (events + unknown) if events + unknown else None,
        unknown_reasons=UNKNOWN_REASONS if unknown else (),
    )


def difference(count: int = 12) -> DifferenceAnswer:
    """Two versions of which each matches events that the other one does not."""
    sides = ("only_old", "only_new", "unknown")
    return DifferenceAnswer(
        question=Difference("Added to basket", 1, 2),
        basis=basis(names=("Added to basket", "Added to basket")),
        name="Added to basket",
        old=1,
        new=2,
        old_meaning="click on button.add",
        new_meaning="click on [data-add]",
        sides=tuple(
            Side(side, count * factor, count * factor // 2, NOW if count else None, NOW if count else None)
            for side, factor in (("only_old", 3), ("only_new", 41), ("both", 900), ("unknown", 1))
        ),
        samples=tuple(
            ChangedEvent(
                sides[place % 3],
                f"{place:032x}",
                NOW,
                "click",
                "Add to basket",
                "/tea/assam",
                "form › button",
            )
            for place in range(count)
        ),
    )


def health(is_empty: bool = False) -> HealthAnswer:
    """Definitions in every state, one with a repair."""
    last = NOW - timedelta(days=4)
    repair = Repair(
        "click", ".box button.purchase", "Buy now", 412, last, "/pricing",
        "says “Buy now” as before, on /pricing; first seen 2026-11-19 09:12, when the old one was last seen "
        "2026-11-19 09:10",
    )  # fmt: skip
    found = (
        DefinitionHealth("Bought", "broken", 3, 0, 214.0, 1e-58, last, (repair,)),
        DefinitionHealth("Read the news", "fallen", 7, 41, 96.2, 1e-9, NOW),
        DefinitionHealth(NASTY, "too little", 7, 0, 0.4, 0.7, last),
        DefinitionHealth("Never done", "never", 7, 0, 0.0, 1.0, None),
        DefinitionHealth("Signed up", "as usual", 7, 102, 99.5, 0.6, NOW),
    )
    return HealthAnswer(Health(), basis(), () if is_empty else found)
