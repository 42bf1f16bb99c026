"""The stickiness page: on how many distinct days, weeks or months people did it."""

from __future__ import annotations

from dataclasses import dataclass

from expost.query.form_ways import stickiness_of
from expost.query.stickiness import Stickiness, StickinessAnswer

from . import chart, group
from .asked import Ask
from .chart_page import ChartPage
from .desk import Pairs

MORE = ("unit", "several", "exposures_from", "week_start", "as_of")
"""Fields of the second row of the form."""


@dataclass(frozen=True, slots=True)
class StickinessAsk(Ask):
    """The form of stickiness."""

    hidden = ("week_start",)

    @property
    def more(self) -> bool:
        """Whether anything is said that the first row of the form has no field for."""
        return any(self.form.get(name) for name in MORE)


@dataclass(frozen=True, slots=True)
class StickyBar:
    """Who did it in exactly so many periods: `width` in per cent of the longest bar, `share` of everyone."""

    label: str
    people: int
    share: float
    width: float
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StickinessView:
    """What `_stickiness.html` shows."""

    answer: StickinessAnswer
    people: int
    bars: tuple[StickyBar, ...]
    groups: tuple[str, ...]


def stickiness_view(answer: StickinessAnswer, _: Pairs = ()) -> StickinessView:
    """Stickiness as bars."""
    assert isinstance(answer.question, Stickiness)
    everyone, most = sum(answer.people), max(answer.people, default=0)
    return StickinessView(
        answer,
        everyone,
        tuple(
            StickyBar(
                f"{number} {answer.period}{'' if number == 1 else 's'}",
                people,
                people / everyone if everyone else 0.0,
                chart.percent(people, most),
                tuple(each.people[number - 1] for each in answer.groups),
            )
            for number, people in enumerate(answer.people, 1)
        ),
        tuple(group.label(each.kind, each.value) for each in answer.groups),
    )


PAGE = ChartPage("stickiness", ("name",), stickiness_of, stickiness_view, StickinessAsk)
