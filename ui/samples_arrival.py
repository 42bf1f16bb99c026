"""Made-up answers about what arrived, for the patterns page and for tests."""

from __future__ import annotations

from datetime import date, timedelta

from expost.query.flag_list import FlagList, FlagsAnswer, SeenFlag, Variation
from expost.query.losses import Losses, LossesAnswer, Tally
from expost.query.rejected import RejectedAnswer, RejectedKind, RejectedLine, RejectedList
from expost.query.sandbox import RowsAnswer, SqlQuery

from .samples import LONG, NASTY, NOW, basis


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
    reasons = (
        "its x has to be a whole number or null, and is 'text'",
        f"'{NASTY}' is not the id of a user",
        LONG,
    )
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
