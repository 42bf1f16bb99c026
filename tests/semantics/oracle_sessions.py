"""Sessions by walking the events of each device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .happening import Happening
from .oracle import Counted, Oracle, Step

EVERYTHING = Counted(bots=True, internal=True, environments=())


@dataclass(frozen=True)
class Told:
    """A session: all events of its device, and those of them that count."""

    everything: list[Happening]
    counted: list[Happening]
    person: str

    @property
    def began(self) -> int:
        """Its first moment."""
        return self.everything[0].at

    @property
    def lasted(self) -> int:
        """To its last one."""
        return self.everything[-1].at - self.began


@dataclass(frozen=True)
class Plan:
    """What is asked for: everything, unless something is said."""

    start: int | None = None
    end: int | None = None
    did: Sequence[Step] = ()
    person: str | None = None
    is_first: Callable[[Happening], bool] = lambda _: True


def sessions(oracle: Oracle, counted: Counted, plan: Plan, now: int) -> list[Told]:
    """Those that began in range, the latest first."""
    known = [each for each in oracle.everything if each.at <= now and each.device is not None]
    whole = Oracle(known, EVERYTHING, "session", oracle.gap)
    found = []
    for events in whole.people.values():
        theirs = [each for each in events if each in counted]
        began = events[0].at
        if not theirs or (plan.start or began) > began or (plan.end or began + 1) <= began:
            continue
        # Whose an event is follows from all that is known, also of what comes after now.
        people = {oracle.person(each) for each in theirs}
        if plan.person is not None and plan.person not in people:
            continue
        if all(any(map(step, theirs)) for step in plan.did) and plan.is_first(theirs[0]):
            found.append(Told(events, theirs, str(oracle.person(theirs[0]))))
    return sorted(found, key=lambda each: -each.began)


def figures(found: Sequence[Told]) -> dict[str, Any]:
    """What they are together."""
    views = [sum(each.type == "page_view" for each in told.counted) for told in found]
    return {
        "sessions": len(found),
        "people": len({each.person for each in found}),
        "devices": len({each.everything[0].device for each in found}),
        "events": sum(len(each.counted) for each in found),
        "page_views": sum(views),
        "viewing": sum(view > 0 for view in views),
        "bounces": sum(view == 1 for view in views),
    }


def percentile(lengths: Sequence[int], share: int) -> int | None:
    """The nearest rank."""
    return sorted(lengths)[max(-(-len(lengths) * share // 100), 1) - 1] if lengths else None
