"""The pages of sessions: a list with its figures, and one session with its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from expost.query.form import Form
from expost.query.form_proof import explaining
from expost.query.form_sessions import session_of, sessions_of
from expost.query.session_detail import SessionAnswer
from expost.query.sessions import Session, SessionFigures, Sessions, SessionsAnswer

from . import chart, group
from .asked import COLUMNS, Ask, Choices, find_offer
from .chart import Column
from .chart_page import KEPT_AS, ChartPage, add_explanation
from .desk import Desk, Pairs
from .format import number, plural, short_day
from .live import LiveRow, live_row
from .page import TWINS, render, twin
from .trend import ValueTick

LATELY = "7d"
"""What is shown where no range is said."""
ORDERS: Choices = (
    ("latest", "latest first"),
    ("longest", "longest first"),
    ("most_events", "most events first"),
)
MORE = ("property", "order", "period", "gap", "as_of")
"""Fields of the second row of the form."""
FEWEST_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class SessionsAsk(Ask):
    """The form of sessions."""

    hidden = ("week_start", "person", "device", "limit")
    repeated = ("did", "property")
    orders: ClassVar[Choices] = ORDERS

    @property
    def breakdowns(self) -> Choices:
        """What the first event says, and cohorts."""
        return (*((f"cohort:{key}", f"cohort {name}") for key, name in self.offer.cohorts), *COLUMNS)

    @property
    def more(self) -> bool:
        """Whether anything is said that the first row of the form has no field for."""
        return any(self.form.get(name) for name in MORE)

    @property
    def of_one(self) -> str:
        """The person or the device whose sessions alone are asked for."""
        return self.one("person") or self.one("device")

    @property
    def of_everybody(self) -> Pairs:
        """The same question about everybody."""
        return [pair for pair in self.pairs if pair[0] not in ("person", "device", "offset")]


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """The figures of a group, with a bar whose `width` is in per cent of all sessions."""

    label: str
    figures: SessionFigures
    width: float


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session of the list: where from, and on what, in words."""

    session: Session
    came_from: str
    on: str


@dataclass(frozen=True, slots=True)
class SessionsView:
    """What `_sessions.html` shows; `earlier` and `later` are the pages of the list beside this one."""

    answer: SessionsAnswer
    columns: tuple[Column, ...]
    y_ticks: tuple[ValueTick, ...]
    x_labels: tuple[str, ...]
    groups: tuple[FiguresRow, ...]
    rows: tuple[SessionRow, ...]
    first: int
    opens: Pairs = ()
    earlier: Pairs | None = None
    later: Pairs | None = None

    @property
    def says_on_what(self) -> bool:
        """Whether anything is known of where and on what one of them was."""
        return any(row.on for row in self.rows)

    @property
    def last(self) -> int:
        """The place of the last session that is listed."""
        return self.first + len(self.rows) - 1


@dataclass(frozen=True, slots=True)
class SessionView:
    """What `session.html` shows."""

    answer: SessionAnswer
    row: SessionRow
    rows: tuple[LiveRow, ...]


def sessions_view(answer: SessionsAnswer, pairs: Pairs = ()) -> SessionsView:
    """Sessions as a chart and tables."""
    question = answer.question
    assert isinstance(question, Sessions)
    counts = [each.sessions for each in answer.periods]
    labels = [short_day(each.start) for each in answer.periods]
    titles = [
        f"{label}: {number(count)} {plural(count, 'session')}"
        for label, count in zip(labels, counts, strict=True)
    ]
    rest = [pair for pair in pairs if pair[0] != "offset"]
    next_offset = question.offset + len(answer.sessions)
    previous = max(0, question.offset - question.limit)
    return SessionsView(
        answer,
        tuple(chart.columns(counts, titles, [each.complete for each in answer.periods]))
        if len(counts) >= FEWEST_COLUMNS
        else (),
        tuple(ValueTick(tick.label, 100 - tick.place) for tick in chart.value_ticks(counts)),
        chart.chosen_labels(labels),
        tuple(
            FiguresRow(
                group.label(each.kind, each.value),
                each.figures,
                chart.percent(each.figures.sessions, answer.figures.sessions),
            )
            for each in answer.groups
        ),
        tuple(map(session_row, answer.sessions)),
        question.offset + 1,
        [pair for pair in pairs if pair[0] == "gap"],
        [*rest, *([("offset", str(previous))] if previous else [])] if question.offset else None,
        [*rest, ("offset", str(next_offset))] if next_offset < answer.total and answer.sessions else None,
    )


def session_row(session: Session) -> SessionRow:
    """One session in words."""
    source = session.traffic_source or session.referrer
    came_from = [session.channel, source, session.campaign]
    on = [
        each for each in (session.country, session.browser, session.device_class) if not _says_nothing(each)
    ]
    return SessionRow(session, *(" · ".join(dict.fromkeys(filter(None, each))) for each in (came_from, on)))


def _says_nothing(device: str | None) -> bool:
    # What is read from a user agent calls what it does not know "Other".
    return device is None or device.casefold() == "other"


def session_view(answer: SessionAnswer) -> SessionView:
    """One session in words."""
    return SessionView(answer, session_row(answer.session), tuple(map(live_row, answer.events)))


def asked_lately(form: Form) -> Form:
    """The form with a range, where none is said."""
    return form if form.keys() & {"from", "to", "last"} else {**form, "last": [LATELY]}


PAGE = ChartPage("sessions", ("last",), sessions_of, sessions_view, SessionsAsk)
"""How reports show it. The page itself is made here: it needs no field to be asked, and has one for each session."""
ALONE = frozenset({KEPT_AS})


def add_sessions(router: APIRouter, desk: Desk) -> None:
    """`/sessions`, a page for each of them, and the twins of both."""
    # Before the page of a session, which no session is called.
    add_explanation(router, desk, PAGE.path, explaining(lambda form: sessions_of(asked_lately(form))))

    @router.get("/sessions")
    async def page(request: Request) -> Response:
        """The list."""
        form = asked_lately(desk.form_of(request, without=ALONE))
        ask = SessionsAsk(form, await find_offer(desk, desk.site_of(request).slug))
        found = await desk.outcome(lambda: sessions_of(form))
        view = sessions_view(found.answer, ask.pairs) if found.answer else None
        kept_as = request.query_params.get(KEPT_AS, "")
        said = {"ask": ask, "view": view, "error": found.error, "page": PAGE, "kept_as": kept_as}
        return render(desk, request, "sessions.html", status=found.status, **said)

    async def twins(request: Request) -> Response:
        """The twins of the list."""
        return twin(
            request, await desk.answer(sessions_of(asked_lately(desk.form_of(request, without=ALONE))))
        )

    async def twins_of_one(session_id: str, request: Request) -> Response:
        """The twins of one session."""
        return twin(request, await desk.answer(session_of(session_id, desk.form_of(request))))

    for ending in TWINS:
        router.add_api_route(f"/sessions{ending}", twins, methods=["GET"])
        router.add_api_route(f"/sessions/{{session_id}}{ending}", twins_of_one, methods=["GET"])

    @router.get("/sessions/{session_id}")
    async def session(session_id: str, request: Request) -> Response:
        """One session."""
        form = desk.form_of(request)
        answer = await desk.answer(session_of(session_id, form))
        gap = [("gap", value) for value in form.get("gap", ())]
        return render(desk, request, "session.html", view=session_view(answer), gap=gap)
