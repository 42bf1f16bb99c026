"""Questions about what arrived, as people write them.

Modules that answer as well load the engine, which takes a second: they are imported where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expost.errors import InvalidInput

from .form import COHORTS, COMMON, Form, common_of, moment_of, one, whole_number
from .word import Word, refuse_unknown

if TYPE_CHECKING:
    from .flag_list import FlagList
    from .live import Live
    from .losses import Losses
    from .rejected import RejectedList
    from .sandbox import SqlQuery
    from .timeline import Timeline

SITE = next(word for word in COMMON if word.name == "site")
AS_OF = next(word for word in COMMON if word.name == "as_of")
LOSSES = (
    *COMMON,
    Word("by", "What the losses are split by; default day.", choices=("day", "page", "browser")),
    Word(
        "limit", "How many pages or browsers, those that miss most first; default 100.", "100", is_number=True
    ),
)
REJECTED = (
    SITE,
    Word("kind", "Only this kind of reason, as the list calls it.", "not JSON"),
    Word("limit", "How many of the latest, up to 1,000; default 100.", "100", is_number=True),
)
TIMELINE = (
    *COMMON,
    Word("id", "A user, a device or a `person_id`.", "ann@shop.example"),
    Word("latest", "How many events; default 200.", "200", is_number=True),
)
FLAGS = (SITE, AS_OF)
LIVE = (
    SITE,
    AS_OF,
    *COHORTS,
    Word("latest", "How many events, up to 1,000; default 50.", "50", is_number=True),
)
SQL = (
    Word("query", "One SELECT over the views that docs/schema.md names.", "select count(*) from events"),
    Word("limit", "Most rows to return; default 10,000.", "100", is_number=True),
    AS_OF,
)


def losses_of(form: Form) -> Losses:
    """The loss meter, by day, page or browser."""
    from .losses import Losses

    refuse_unknown(form, LOSSES)
    return Losses(one(form, "by") or "day", **_counted(form, "limit"), **common_of(form))


def rejected_of(form: Form) -> RejectedList:
    """What could not be stored."""
    from .rejected import RejectedList

    refuse_unknown(form, REJECTED)
    return RejectedList(one(form, "kind"), **_counted(form, "limit"), site=one(form, "site"))


def timeline_of(form: Form) -> Timeline:
    """One person."""
    from .timeline import Timeline

    refuse_unknown(form, TIMELINE)
    id_ = one(form, "id")
    if id_ is None:
        raise InvalidInput(
            "It is not said who.", hint="For example: expost people show ann@shop.example, or id=… over HTTP"
        )
    return Timeline(id_, **_counted(form, "latest"), **common_of(form))


def flags_of(form: Form) -> FlagList:
    """The flags that exposures name."""
    from .flag_list import FlagList

    refuse_unknown(form, FLAGS)
    return FlagList(site=one(form, "site"), as_of=moment_of(form, "as_of"))


def live_of(form: Form) -> Live:
    """The latest events."""
    from .live import Live

    refuse_unknown(form, LIVE)
    return Live(**_counted(form, "latest"), **common_of(form))


def sql_of(form: Form, *, is_admin: bool) -> SqlQuery:
    """One SELECT."""
    from .sandbox import SqlQuery

    refuse_unknown(form, SQL)
    text = one(form, "query")
    if text is None:
        raise InvalidInput("There is no query.", hint='For example: {"query": "select count(*) from events"}')
    return SqlQuery(text, is_admin=is_admin, **_counted(form, "limit"), as_of=moment_of(form, "as_of"))


def _counted(form: Form, name: str) -> dict[str, Any]:
    return {} if (text := one(form, name)) is None else {name: whole_number(name, text)}
