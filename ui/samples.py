"""Made-up answers of every shape, for the patterns page and for tests. None of them ever stands on another page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from expost.query.answer import Basis, LeftOut, UsedDefinition
from expost.query.breakdown import Flag
from expost.query.definition import definition
from expost.query.difference import ChangedEvent, Difference, DifferenceAnswer, Side
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.flag_list import FlagList, FlagsAnswer, SeenFlag, Variation
from expost.query.funnel import Funnel, FunnelAnswer, FunnelGroup, FunnelPeople, FunnelStep
from expost.query.health import DefinitionHealth, Health, HealthAnswer, Repair
from expost.query.level import Level
from expost.query.live import Live, LiveAnswer, LiveEvent
from expost.query.losses import Losses, LossesAnswer, Tally
from expost.query.overlap import Overlap
from expost.query.person import DecidingEvent, PeopleAnswer, Person
from expost.query.preview import Counted, Day, Preview, PreviewAnswer, SampleElement
from expost.query.rejected import RejectedAnswer, RejectedKind, RejectedLine, RejectedList
from expost.query.retention import (
    Cohort,
    PooledPeriod,
    Retention,
    RetentionAnswer,
    RetentionGroup,
    RetentionPeriod,
)
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.query.suggested import AvoidedToken, Suggestion, Suggestions, SuggestionsAnswer
from expost.query.trend import Point, Trend, TrendAnswer, TrendGroup
from expost.query.unknown import UnknownReason
from expost.query.unnamed import Unnamed, UnnamedAnswer, UnnamedGroup

NOW = datetime(2026, 11, 23, 14, 5, 32, tzinfo=UTC)
NASTY = "<img src=x onerror=alert(1)> \u202egnp.exe\u200b раypal {{7*7}}"
LONG = (
    "An exceedingly long label that somebody wrote into one single button without a thought for tables " * 3
)
STEPS = ("Viewed a tea", "Added to basket", "Went to checkout", "Placed the order")
SQL = """with step_1 as (
    select person_id, time, page_id, page_seq, event_id
    from events
    where type = 'page_view' and path like '/tea/%'
)
select count(distinct person_id) as people
from step_1"""


def basis(notes: Sequence[str] = (), names: Sequence[str] = (), unknown: int = 0) -> Basis:
    """What a made-up number rests on."""
    return Basis(
        sql=SQL,
        parameters={"site": "teashop", "path": "/tea/%"},
        site="teashop",
        time_zone="Europe/Berlin",
        now=NOW,
        snapshot={"events": 812, "elements": 96},
        definitions=tuple(
            UsedDefinition(name, place, 1, f"click on {name}", 2_000 // place, unknown)
            for place, name in enumerate(names, 1)
        ),
        left_out=(
            LeftOut("bots", 212, 9, 0.031, "the site leaves out bots"),
            LeftOut("internal", 18, 2, 0.002, "the question leaves out internal devices"),
        ),
        notes=tuple(notes),
        elapsed_ms=38.4,
    )


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
    elements = chain() if row["type"] in ("click", "change", "submit") else ()
    return EventAnswer(EventDetail(str(row["event_id"])), basis(), row, elements)


UNKNOWN_REASONS = (
    UnknownReason("not_whole", "class was cut or masked", 2),
    UnknownReason("name_only", "data-plan is kept by name only", 1),
)


def suggestions(place: int = 2) -> SuggestionsAnswer:
    """Suggested selectors of every kind for a level of the chain, one with a text that wants to be markup."""
    meant = chain()[place]
    everywhere = "there on all 41 days and in all 4 releases"
    once = "matches 1 of 12 buttons on the page"
    found = (
        Suggestion(meant.selector or "*", None, "class", f"the classes .add and .primary, {everywhere}; {once}",
                   0.93, 431, 41, 4, 0, 0, 1),
        Suggestion("button.add", None, "class", f"the class .add, {everywhere}; matches 3 of 12 buttons on the page; "
                   "also gathers 120 events of 2 other things", 0.41, 431, 41, 4, 120, 2, 3),
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


def steps(*people: int, names: Sequence[str] = STEPS, unfinished: int = 0) -> tuple[FunnelStep, ...]:
    """The bars of one group."""
    found = []
    for place, count in enumerate(people):
        before = people[max(0, place - 1)]
        after = people[place + 1] if place + 1 < len(people) else count
        entered = people[0] - unfinished
        complete = max(0, count - unfinished // (place + 1))
        found.append(
            FunnelStep(
                name=names[place % len(names)],
                people=count,
                share=count / people[0] if people[0] else None,
                share_of_previous=(count / before if before else None) if place else None,
                dropped_off=count - after,
                complete_people=complete,
                complete_share=min(1.0, complete / entered) if entered > 0 else None,
                median_ms=84_000.0 * (place * place + 1) if place else None,
                median_from_start_ms=210_000.0 * place * place if place else None,
                outside_groups=place * 4,
            )
        )
    return tuple(found)


def funnel(*people: int, by: bool = False, unfinished: int = 31) -> FunnelAnswer:
    """A funnel, by the variations of a flag if asked."""
    total = people or (1_204, 802, 431, 266)
    groups = (
        FunnelGroup("variation", "control", steps(498, 326, 160, 88, unfinished=11)),
        FunnelGroup("variation", "treatment", steps(503, 351, 207, 149, unfinished=14)),
        FunnelGroup("not exposed", None, steps(181, 114, 55, 24, unfinished=6)),
        FunnelGroup("before exposure", None, steps(22, 11, 5, 1)),
    )
    notes = (
        "A conversion is a chain of distinct events in order, the last within the window of the first.",
        "A person counts at a step if any of their attempts reaches it.",
    )
    return FunnelAnswer(
        question=Funnel(STEPS, timedelta(days=7), by=Flag("new-checkout") if by else None),
        basis=basis(notes, STEPS, unknown=2),
        steps=steps(*total, unfinished=unfinished),
        groups=groups if by else (),
        incomplete_people=unfinished,
        several_variations=0.012 if by else None,
    )


def people(step: int = 2, *, dropped_off: bool = False, total: int = 802) -> PeopleAnswer:
    """The people behind a bar."""
    asked = funnel().question
    assert isinstance(asked, Funnel)
    shown = tuple(
        Person(
            str(place),
            NASTY if place == 2 else f"person-{place}@example.org",
            place % 2 == 0,
            "variation",
            "treatment",
            step,
            tuple(
                DecidingEvent(name, f"019a{place}", NOW + timedelta(minutes=n))
                for n, name in enumerate(STEPS[:step])
            ),
        )
        for place in range(min(total, 100))
    )
    return PeopleAnswer(FunnelPeople(asked, step, dropped_off=dropped_off), basis(), total, shown)


def many_steps() -> FunnelAnswer:
    """A funnel of twenty steps."""
    people = [int(12_000 * 0.83**place) for place in range(20)]
    names = [f"Step {place + 1} of the long way through the form" for place in range(20)]
    answer = funnel()
    return FunnelAnswer(answer.question, answer.basis, steps(*people, names=names), (), 0, None)


def retention(*, by: bool = False, cohorts: int = 9) -> RetentionAnswer:
    """Weekly retention."""
    total = _cohorts(cohorts, 1.0)
    groups = tuple(
        RetentionGroup(
            "variation" if value else kind, value, _cohorts(cohorts, scale), _pool(_cohorts(cohorts, scale))
        )
        for kind, value, scale in (("", "control", 0.4), ("", "treatment", 0.45), ("not exposed", None, 0.15))
    )
    return RetentionAnswer(
        question=Retention("Placed the order", "Viewed a tea", by=Flag("new-checkout") if by else None),
        basis=basis(("Period 0 counts a return only if it is a later event than the start.",), STEPS[:2]),
        period="week",
        cohorts=total,
        pooled=_pool(total),
        groups=groups if by else (),
        several_variations=0.012 if by else None,
        data_begins=NOW - timedelta(days=88),
    )


def trend(*, by: bool = False, events: bool = True, days: int = 60) -> TrendAnswer:
    """Events a day."""
    start = datetime(2026, 11, 23, tzinfo=UTC) - timedelta(days=days - 1)

    def points(scale: float) -> tuple[Point, ...]:
        counts = [
            int(scale * (40 + (place * 7919) % 23 - (18 if place % 7 in (5, 6) else 0)))
            for place in range(days)
        ]
        return tuple(
            Point(start + timedelta(days=place), count * events, count * events * 3 // 4)
            for place, count in enumerate(counts)
        )

    groups = (
        TrendGroup("variation", "control", points(0.38)),
        TrendGroup("variation", "treatment", points(0.52)),
        TrendGroup("not exposed", None, points(0.1)),
    )
    total = points(1.0)
    return TrendAnswer(
        question=Trend("Added to basket", by=Flag("new-checkout") if by else None),
        basis=basis(names=["Added to basket"]),
        period="day",
        events=sum(point.events for point in total),
        people=812 * events,
        points=total,
        groups=groups if by else (),
        several_variations=None,
    )


def rows(count: int = 6) -> RowsAnswer:
    """Rows of an SQL question."""
    kinds = ("click", "page_view", "exposure", "change", "submit", NASTY)
    values = tuple(
        (kinds[place % 6], 9_000 - place * 7, None if place % 4 == 3 else NOW) for place in range(count)
    )
    return RowsAnswer(SqlQuery("select 1"), basis(), ("type", "events", "last"), values, is_cut=count > 10)


def flags() -> FlagsAnswer:
    """The flags that can be chosen."""
    seen = tuple(
        Variation(value, 500, 512, 900, NOW - timedelta(days=20), NOW) for value in ("control", "treatment")
    )
    return FlagsAnswer(FlagList(), basis(), (SeenFlag("new-checkout", 1_001, 0.012, seen),))


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


def _cohorts(count: int, scale: float) -> tuple[Cohort, ...]:
    monday = date(2026, 11, 23)
    found = []
    for place in range(count):
        start = monday - timedelta(weeks=count - 1 - place)
        size = int(scale * (120 + (place * 37) % 50))
        periods = tuple(
            RetentionPeriod(
                number,
                int(size * (0.21 if number == 0 else 0.44 * 0.82**number)),
                start + timedelta(weeks=number + 1) <= monday,
                size,
                number,
            )
            for number in range(count - place)
        )
        found.append(Cohort(start, size, periods))
    return tuple(found)


def _pool(cohorts: Sequence[Cohort]) -> tuple[PooledPeriod, ...]:
    pooled = []
    for number in range(len(cohorts)):
        cells = [(each.periods[number], each.size) for each in cohorts[: len(cohorts) - number - 1]]
        people, size = sum(cell.people for cell, _ in cells), sum(size for _, size in cells)
        pooled.append(PooledPeriod(number, people, size, people / size if size else None, number))
    return tuple(pooled)


def losses(by: str = "day", *, count: int = 30, lost: float = 1.0, exact: bool = False) -> LossesAnswer:
    """What is missing by day, page or browser, the last of it still open."""
    groups = tuple(_tally(by, place, count, lost, exact=exact) for place in range(count))
    if by != "day":
        groups = tuple(sorted(groups, key=lambda each: -each.missing))
    total = Tally(None, *(sum(getattr(each, name) for each in groups) for name in TALLIED))
    return LossesAnswer(
        question=Losses(by),
        basis=basis(),
        by=by,
        total=total,
        groups=groups,
        distinct=count + 40 * (by != "day"),
    )


def rejected(count: int = 3) -> RejectedAnswer:
    """What could not be stored, some of it hostile."""
    reasons = ("Expected `int | null`, got `str` - at `$.x`", f"'{NASTY}' is not the id of a user", LONG)
    kinds = ("Expected …, got … - at …", "… is not the id of a user", LONG[:120])
    lines = tuple(
        RejectedLine(
            NOW - timedelta(minutes=number) if number != 1 else None,
            reasons[number % 3],
            kinds[number % 3],
            "" if number == 1 else f"019ab3f2-77c1-7{number:03}-8b1e-5a60d2c9f4e7",
            ('{"type": "click", "x": "twelve", "text": "' + NASTY + '"}', "hello", "x" * 5_000)[number % 3],
        )
        for number in range(count)
    )
    found = tuple(
        RejectedKind(kind, count * 7_919 // (place + 1), NOW) for place, kind in enumerate(kinds[:count])
    )
    return RejectedAnswer(RejectedList(), basis(), sum(each.count for each in found), found, lines)


TALLIED = ("expected", "received", "missing", "pages", "missing_pages", "exact_pages")


def _tally(by: str, place: int, count: int, lost: float, *, exact: bool) -> Tally:
    day = date(2026, 11, 23) - timedelta(days=count - 1 - place)
    paths = (None, "teashop.example/cart", f"teashop.example/{NASTY}", "teashop.example/" + "deep/" * 40)
    names = {
        "day": day.isoformat(),
        "page": paths[place] if place < len(paths) else f"teashop.example/tea/{place}",
        "browser": f"019ab3f2-77c1-7{place:03}-8b1e-5a60d2c9f4e7",
    }
    expected = 400 + (place * 7919) % 310
    missing = int(lost * ((place * 31) % 11))
    is_open = not exact and place >= count - 2
    missing_pages = expected // 40 if names[by] is None else 0
    return Tally(
        names[by],
        expected,
        expected - missing,
        missing,
        expected // 8,
        missing_pages,
        expected // 8 - is_open,
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
