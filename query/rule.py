"""Rules that could be other ones: what an explanation asks instead, and those that apply to many kinds of question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from .answer import Answer
from .breakdown import SEVERAL, Flag
from .calendar import Calendar
from .grouping import SEVERAL_RULES, GroupKey, exposures_rule
from .left_out import Counting
from .question import Question
from .reading import Reading
from .unit import PERSON, Unit
from .weekday import WEEKDAYS

Counts = Mapping[GroupKey, tuple[int, ...]]
"""The counts of each group, in the order of what they count."""
TOTAL: GroupKey = ("total", None)
SEVERAL_SAYS = {"first": "Whoever saw several variations is in the first one."} | {
    name: rules[0] for name, rules in SEVERAL_RULES.items() if rules
}
COUNTED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "bots": ("What bots did counts as well.", {"bots": True}),
    "internal": ("What internal devices did counts as well.", {"internal": True}),
    "environment": ("Events of every environment count.", {"environments": ()}),
}
"""By the reason for which something is left out: what counting it says, and what it changes."""


@dataclass(frozen=True, slots=True)
class Other:
    """A rule that could be another one: which, what it says, and the question that follows it.

    `counting` and `calendar` are those of the question, where they are others. `is_first_only` is of funnels.
    """

    rule: str
    setting: str
    says: str
    question: Question
    counting: Counting | None = None
    calendar: Calendar | None = None
    is_first_only: bool = False

    def of(self, reading: Reading) -> Reading:
        """The reading that this is asked of."""
        own = replace(reading, question=self.question)
        if self.calendar is not None:
            own = replace(own, calendar=self.calendar)
        return own if self.counting is None else replace(own, counting=self.counting)


@dataclass(frozen=True, slots=True)
class Explained:
    """How a kind of question is explained.

    `asked` is what of it is counted; `others` are its own rules, as they could be; `in_force` are those that decided,
    in words, and `counts` what an answer counts, in the columns that `columns` names. `is_ordered`: the order of events
    at one moment may decide. `makes_relations`: all events that match are a relation before they are counted under a
    rule; else they are counted on the way.
    """

    answer: Callable[[Reading, Other], Answer]
    others: Callable[[Reading, Any], Iterator[Other]]
    in_force: Callable[[Reading, Any], dict[str, str]]
    columns: Callable[[Any], tuple[str, ...]]
    counts: Callable[[Any], Counts]
    asked: Callable[[Any], Question] = lambda question: question
    is_ordered: bool = False
    makes_relations: Callable[[Reading, Other], bool] = lambda *_: True


def counting_rules(reading: Reading, question: Question, left_out: frozenset[str] | None) -> Iterator[Other]:
    """With what is left out, as far as there is any (`left_out` says of what; None where that is not known)."""
    counting = reading.counting
    is_whole = {
        "bots": counting.bots, "internal": counting.internal, "environment": not counting.environments,
    }  # fmt: skip
    for reason, (says, changes) in COUNTED.items():
        if not is_whole[reason] and (left_out is None or reason in left_out):
            yield Other(reason, "counted", says, question, replace(counting, **changes))


def unit_rules(question: Any) -> Iterator[Other]:
    """With browsers in the place of people."""
    if question.unit == PERSON:
        says = "Each browser counts by itself, whoever used it."
        yield Other("unit", "device", says, replace(question, unit=Unit("device")))


def several_rules(question: Any) -> Iterator[Other]:
    """With the other ways of counting people who saw several variations, and with the exposures that do not count."""
    if isinstance(question.by, Flag):
        if question.by.exposures_from is not None:
            other = replace(question, by=replace(question.by, exposures_from=None))
            yield Other("exposures", "ever", "Exposures count whenever they were.", other)
        for several in SEVERAL:
            if several != question.by.several:
                other = replace(question, by=replace(question.by, several=several))
                yield Other("several variations", several, SEVERAL_SAYS[several], other)


def calendar_rules(reading: Reading, question: Any) -> Iterator[Other]:
    """With days of UTC, and weeks that begin on another day."""
    calendar = reading.calendar
    if calendar.zone.key != "UTC":
        says = "Days begin at midnight UTC."
        yield Other("time_zone", "UTC", says, question, calendar=replace(calendar, zone=ZoneInfo("UTC")))
    if question.period == "week":
        start = 6 if calendar.week_start == 0 else 0
        setting = WEEKDAYS[start]
        says = f"Weeks begin on {setting.capitalize()}."
        yield Other("week_start", setting, says, question, calendar=replace(calendar, week_start=start))


def unit_in_force(unit: Unit) -> dict[str, str]:
    """What is counted, in words."""
    said = {
        "person": "Browsers of one user, and users that were merged, are one.",
        "device": "Each browser counts by itself, whoever used it.",
        "session": "Each session counts by itself.",
    }
    return {"unit": said.get(unit.kind, f"Each {unit.group_type} counts by itself.")}


def several_in_force(question: Any) -> dict[str, str]:
    """How people count who saw several variations, and which exposures do, in words."""
    by = question.by
    if not isinstance(by, Flag):
        return {}
    rules = {"several variations": SEVERAL_SAYS[by.several]}
    since = by.exposures_from
    return rules if since is None else rules | {"exposures": exposures_rule(since)}


def calendar_in_force(reading: Reading, question: Any) -> dict[str, str]:
    """When days and weeks begin, in words."""
    calendar = reading.calendar
    weeks = (
        f" Weeks begin on {WEEKDAYS[calendar.week_start].capitalize()}." if question.period == "week" else ""
    )
    return {"calendar": f"Days are those of {calendar.zone.key}.{weeks}"}


def counting_in_force(reading: Reading) -> dict[str, str]:
    """What counts, in words."""
    counting = reading.counting
    left = [
        *(() if counting.bots else ("bots",)),
        *(() if counting.internal else ("internal devices",)),
        *((f"environments other than {', '.join(counting.environments)}",) if counting.environments else ()),
    ]
    said = (", ".join(left[:-1]), *left[-1:])
    return {"counted": f"All but {' and '.join(filter(None, said))}." if left else "Everything counts."}
