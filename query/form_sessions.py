"""Sessions as people write them.

Modules that answer as well load the engine, which takes a second: they are imported where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .breakdown import parse_breakdown
from .duration import parse_duration
from .form import COHORTS, COMMON, GAP, WHOLE, Form, common_of, one, property_of, whole_number
from .retention import RETENTION_PERIODS
from .sessions import ORDERS, Sessions
from .unit import SESSION_GAP
from .word import Word, refuse_unknown

if TYPE_CHECKING:
    from .session_detail import SessionDetail

SESSIONS = (
    *WHOLE,
    *COHORTS,
    GAP,
    Word("did", "Only sessions in which this definition was done; if there are several, all of them.", "Ordered",
         is_many=True),
    Word("property", "Only sessions whose first event has this property, NAME or NAME=VALUE, or column: "
         "`column:country=DE`.", "plan=pro", is_many=True, python="properties"),
    Word("person", "Only sessions in which this user, device or `person_id` did anything.", "ann@shop.example"),
    Word("device", "Only sessions of this device, by its name or `device_id`.", "8417"),
    Word("by", "Split the figures by what the first event says: a column such as `country`, `property:NAME`, or "
         "`cohort:NAME`.", "device_class"),
    Word("period", "How many began in each; default day.", choices=RETENTION_PERIODS),
    Word("order", "The order of the list; default latest.", choices=ORDERS),
    Word("limit", "How many sessions are listed, up to 10,000; default 50.", "50", is_number=True),
    Word("offset", "How many before them are passed over; default 0.", "50", is_number=True),
)  # fmt: skip
SESSION = (
    *(word for word in WHOLE if word.name not in ("from", "to", "last")),
    GAP,
    Word(
        "limit",
        "How many events of the session, up to 10,000, the first ones; default 500.",
        "500",
        is_number=True,
    ),
)


def sessions_of(form: Form) -> Sessions:
    """The sessions of a range."""
    # A sample is refused by the question itself, which says what can be asked of one.
    refuse_unknown(form, (*SESSIONS, *COMMON))
    by = one(form, "by")
    said: dict[str, Any] = {
        name: text for name in ("period", "order") if (text := one(form, name)) is not None
    }
    return Sessions(
        did=tuple(form.get("did", ())),
        properties=tuple(map(property_of, form.get("property", ()))),
        person=one(form, "person"),
        device=one(form, "device"),
        by=None if by is None else parse_breakdown(by),
        **said,
        **_counted(form, "limit", "offset"),
        **_gap(form),
        **common_of(form),
    )


def session_of(id_: str, form: Form) -> SessionDetail:
    """One session."""
    from .session_detail import SessionDetail

    refuse_unknown(form, SESSION)
    return SessionDetail(id_, **_counted(form, "limit"), **_gap(form), **common_of(form))


def _gap(form: Form) -> dict[str, Any]:
    gap = one(form, "gap")
    return {"gap": SESSION_GAP if gap is None else parse_duration(gap, "gap")}


def _counted(form: Form, *names: str) -> dict[str, Any]:
    return {name: whole_number(name, text) for name in names if (text := one(form, name)) is not None}
