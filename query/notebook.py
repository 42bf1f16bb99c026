"""Answers in a notebook: a chart where there is one, else a table. The HTML needs nothing else; text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from .question import Comparable

if TYPE_CHECKING:
    from .answer import Answer
    from .funnel import FunnelAnswer, FunnelStep
    from .retention import RetentionAnswer
    from .trend import TrendAnswer

Given = TypeVar("Given")
MOST_ROWS = 50
WIDTH, HEIGHT = 640, 180
BAR, BAR_LEFT, LABEL = "#2f6f8f", "#d6dde1", "#5b6770"
"""Colours that can be told apart on white and on black."""


def answer_html(answer: Answer) -> str:
    """Any answer as a table of its first rows, with its notes."""
    rows = answer.rows()
    more = f"<p>… and {len(rows) - MOST_ROWS:,} more rows</p>" if len(rows) > MOST_ROWS else ""
    return f"<div>{_table(rows[:MOST_ROWS])}{more}{_notes(answer)}</div>"


def funnel_html(answer: FunnelAnswer) -> str:
    """A funnel as bars, one block for each group, and then what it stands beside."""
    return f"<div>{_funnel(answer)}{_beside(answer, answer.compared, _funnel)}{_notes(answer)}</div>"


def _funnel(answer: FunnelAnswer) -> str:
    groups = (_bars(_called(group.kind, group.value), group.steps) for group in answer.groups)
    return _bars("", answer.steps) + "".join(groups)


def retention_html(answer: RetentionAnswer) -> str:
    """Retention as a table whose cells are tinted by their share, and then what it stands beside."""
    return f"<div>{_retention(answer)}{_beside(answer, answer.compared, _retention)}{_notes(answer)}</div>"


def _retention(answer: RetentionAnswer) -> str:
    groups = (_cohorts(_called(group.kind, group.value), group.cohorts) for group in answer.groups)
    return _cohorts("", answer.cohorts) + "".join(groups)


def _beside(answer: Answer, compared: Given | None, shown: Callable[[Given], str]) -> str:
    if compared is None:
        return ""
    assert isinstance(answer.question, Comparable)
    return f'<p style="color:{LABEL}">beside {_text(answer.question.beside)}</p>{shown(compared)}'


def trend_html(answer: TrendAnswer) -> str:
    """A trend as columns, with its numbers to be read when one points at them."""
    values = [point.value or 0.0 for point in answer.points]
    top = max([*values, 1e-9])
    step = WIDTH / max(1, len(values))
    columns = "".join(
        f'<rect x="{number * step:.1f}" y="{HEIGHT - HEIGHT * value / top:.1f}" width="{max(1.0, step - 1):.1f}" '
        f'height="{HEIGHT * value / top:.1f}" fill="{BAR}">'
        f"<title>{_text(point.start)}: {_text(point.value)}</title></rect>"
        for number, (point, value) in enumerate(zip(answer.points, values, strict=True))
    )
    chart = (
        f'<svg role="img" aria-label="{_text(answer.measure)} by {_text(answer.period)}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="width:100%;max-width:{WIDTH}px;height:{HEIGHT}px">{columns}</svg>'
    )
    ends = (
        f"{_text(answer.points[0].start)} – {_text(answer.points[-1].start)}"
        if answer.points
        else "no period"
    )
    said = f"{_text(answer.events)} events of {_text(answer.people)}; highest {top:,.6g}; {ends}"
    return f'<div>{chart}<p style="color:{LABEL}">{said}</p>{_notes(answer)}</div>'


def _bars(title: str, steps: Sequence[FunnelStep]) -> str:
    whole = max([1, *(int(step.people) for step in steps)])
    rows = "".join(
        f'<tr><td style="text-align:left">{_text(step.name)}</td><td style="width:50%">'
        f'<div style="background:{BAR_LEFT}"><div style="background:{BAR};height:1.2em;'
        f'width:{100 * int(step.people) / whole:.2f}%"></div></div></td>'
        f"<td>{_text(step.people)}</td><td>{_share(step.share)}</td></tr>"
        for step in steps
    )
    return f'<table style="width:100%;max-width:{WIDTH}px">{_caption(title)}{rows}</table>'


def _cohorts(title: str, cohorts: Sequence[Any]) -> str:
    most = max((len(cohort.periods) for cohort in cohorts), default=0)
    head = "".join(f"<th>{number}</th>" for number in range(most))
    rows = "".join(
        f"<tr><td>{_text(cohort.start)}</td><td>{_text(cohort.size)}</td>{''.join(map(_cell, cohort.periods))}</tr>"
        for cohort in cohorts
    )
    return f"<table>{_caption(title)}<tr><th>from</th><th>people</th>{head}</tr>{rows}</table>"


def _cell(period: Any) -> str:
    share = period.people / period.size if period.size else 0.0
    mark = "" if period.complete else "*"
    # The number itself is there: the tint only helps the eye.
    return f'<td style="background:rgba(47,111,143,{share:.2f})">{_share(share)}{mark}</td>'


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "<p>no rows</p>"
    head = "".join(f"<th>{_text(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{_text(each)}</td>' for each in row.values())}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _caption(title: str) -> str:
    return f'<caption style="text-align:left">{_text(title)}</caption>' if title else ""


def _called(kind: str, value: str | None) -> str:
    return kind if value is None else value


def _notes(answer: Answer) -> str:
    return "".join(f'<p style="color:{LABEL}">{_text(note)}</p>' for note in answer.notes)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _text(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.6g}"
        case datetime():
            return escape(f"{value:%Y-%m-%d %H:%M}")
        case date():
            return value.isoformat()
        case _:
            return escape(str(value))
