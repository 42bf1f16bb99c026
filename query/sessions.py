"""Sessions: the question that lists and counts them, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from expost.errors import InvalidInput, NotBuilt

from .answer import Answer, as_row
from .breakdown import Breakdown, ByCohort, ByColumn, ByProperty
from .explanation import ExplainedAnswer
from .property_match import PropertyMatch
from .question import MAX_LISTED, MAX_STEPS, Question, Step, refuse_other, refuse_outside
from .retention import RETENTION_PERIODS
from .unit import SESSION_GAP

ORDERS = ("latest", "longest", "most_events")
PERCENTILES = (25, 50, 75, 90, 95, 99)
MOST_PASSED_OVER = 999_999_999


@dataclass(frozen=True, slots=True)
class Sessions(Question):
    """The sessions that began in range: their figures, how many began when, and `limit` of them in an `order`.

    Only those in which all of `did` was done, whose first event that counts has all `properties`, which are of the
    `device`, and in which the `person` did anything. `by` splits the figures by what the first event says. `offset`
    of the list are passed over. A session ends after a `gap` without any event of its device.
    """

    did: tuple[Step, ...] = ()
    properties: tuple[PropertyMatch, ...] = ()
    person: str | None = None
    device: str | None = None
    by: Breakdown | None = None
    period: str = "day"
    order: str = "latest"
    limit: int = 50
    offset: int = 0
    gap: timedelta = SESSION_GAP

    def __post_init__(self) -> None:
        refuse_no_gap(self.gap)
        refuse_other("The order of sessions", self.order, ORDERS)
        refuse_other("The period of sessions", self.period, RETENTION_PERIODS)
        refuse_outside("A list of sessions has", self.limit, 1, MAX_LISTED, "of them")
        refuse_outside("A list of sessions passes over", self.offset, 0, MOST_PASSED_OVER, "of them")
        if len(self.did) > MAX_STEPS:
            raise InvalidInput(
                f"Sessions are asked for at most {MAX_STEPS} definitions, not {len(self.did)}.",
                hint="Define an event that is any of several.",
            )
        if self.by is not None and not isinstance(self.by, ByColumn | ByProperty | ByCohort):
            raise NotBuilt(
                "Sessions are split by what their first event says: a column, a property, or a cohort.",
                hint="By flags and traits trends are: expost trend NAME --unit session --by flag:KEY",
            )


@dataclass(frozen=True, slots=True)
class Session:
    """One session: from the first to the last event of its device, whatever they are; all else is of what counts.

    The person is whose the first event is. `entry_page` is the path of the first event that has one, `exit_page` of the
    last. Where people came from and with what is as the first event says. `variations` are `flag=variation`, in the
    order in which they were seen. A bounce has exactly one page view.
    """

    session_id: str
    person_id: str
    person: str
    is_user: bool
    device_id: str
    device: str | None
    is_daily: bool
    began_at: datetime
    ended_at: datetime
    duration_ms: float
    is_over: bool
    events: int
    page_views: int
    is_bounce: bool
    host: str | None
    entry_page: str | None
    exit_page: str | None
    referrer: str | None
    traffic_source: str | None
    traffic_medium: str | None
    campaign: str | None
    channel: str | None
    country: str | None
    browser: str | None
    os: str | None
    device_class: str | None
    variations: tuple[str, ...]


FIRST_COLUMNS = (
    "referrer", "traffic_source", "traffic_medium", "campaign", "channel", "country", "browser", "os", "device_class",
)  # fmt: skip
"""What a session has from its first event."""


@dataclass(frozen=True, slots=True)
class Length:
    """So many per cent of the sessions (nearest rank) lasted no longer than this."""

    percentile: int
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What some sessions are together. `bounce_share` is of those with a page view; `running` are not over yet."""

    sessions: int
    people: int
    devices: int
    events: int
    page_views: int
    viewing: int
    bounces: int
    running: int
    lengths: tuple[Length, ...]
    median_page_views: int | None

    @property
    def median_ms(self) -> float | None:
        """The length that half of them do not exceed."""
        return next((each.duration_ms for each in self.lengths if each.percentile == 50), None)

    @property
    def pages_per_session(self) -> float | None:
        """The mean."""
        return self.page_views / self.sessions if self.sessions else None

    @property
    def bounce_share(self) -> float | None:
        """Of the sessions with a page view, those with exactly one."""
        return self.bounces / self.viewing if self.viewing else None


@dataclass(frozen=True, slots=True)
class SessionGroup:
    """The figures of the sessions whose first event says a value; `kind` is `value`, `no value` or `other`."""

    kind: str
    value: str | None
    figures: SessionFigures


@dataclass(frozen=True, slots=True)
class SessionPeriod:
    """How many sessions began in a period, which `start` begins; `complete` if it is over."""

    start: date
    sessions: int
    page_views: int
    viewing: int
    bounces: int
    complete: bool


@dataclass(frozen=True, slots=True)
class SessionsAnswer(ExplainedAnswer):
    """The figures of all sessions that are asked about, how many began when, and those of the list."""

    figures: SessionFigures
    period: str
    periods: tuple[SessionPeriod, ...]
    groups: tuple[SessionGroup, ...]
    sessions: tuple[Session, ...]

    @property
    def total(self) -> int:
        """How many sessions there are, of which the list shows some."""
        return self.figures.sessions

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a session."""
        return {
            "python": "lake.session(answer.sessions[0].session_id)",
            "http": "GET /api/v1/sessions/SESSION_ID",
            "command": "expost sessions show SESSION_ID",
        }

    def to_json(self) -> Any:
        """The fields of the answer, with the shares and means that follow from its figures."""
        body = Answer.to_json(self)
        body["figures"] = said_figures(self.figures)
        for group, each in zip(body["groups"], self.groups, strict=True):
            group["figures"] = said_figures(each.figures)
        return body

    def rows(self) -> list[dict[str, Any]]:
        """One row per session of the list."""
        return [as_row(each) | {"variations": ", ".join(each.variations)} for each in self.sessions]


def said_figures(figures: SessionFigures) -> dict[str, Any]:
    """Figures as JSON has them."""
    return as_row(figures) | {
        "lengths": [as_row(each) for each in figures.lengths],
        "median_ms": figures.median_ms,
        "pages_per_session": figures.pages_per_session,
        "bounce_share": figures.bounce_share,
    }


def refuse_no_gap(gap: timedelta) -> None:
    """Refuse a gap between sessions that is none."""
    if gap <= timedelta(0):
        raise InvalidInput("A session's gap must be longer than nothing.", hint="For example: 30min")
