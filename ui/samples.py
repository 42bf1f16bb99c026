"""What made-up answers have in common: when they were given, names that are hostile or too long, what they rest on.

They are for the patterns page and for tests. None of them ever stands on another page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from expost.query.answer import Basis, LeftOut, UsedDefinition

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
