"""A slow second opinion: the rules of docs/rules.md 3 and 4 said again in plain Python, by walking everybody's events.

`oracle_funnel.py` and `oracle_retention.py` go on from here. Nothing in them is clever. Answers have the shape in which
the conformance cases write them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from expost.clock import from_micros
from expost.ids import ZERO_UUID

from .happening import EDGES, Happening

Step = Callable[[Happening], bool]
DAY = 86_400_000_000


@dataclass(frozen=True)
class Exposure:
    """The first exposure of a person."""

    event: Happening
    variation: str
    variations: int
    view_id: str | None


@dataclass(frozen=True)
class Counted:
    """What counts; every environment when none is named."""

    bots: bool = False
    internal: bool = False
    environments: tuple[str, ...] = ("production",)

    def __contains__(self, event: Happening) -> bool:
        is_elsewhere = bool(self.environments) and event.environment not in self.environments
        return not (
            (event.is_bot and not self.bots) or (event.is_internal and not self.internal) or is_elsewhere
        )


BY_DEFAULT = Counted()


class Oracle:
    """What a story means, of what counts. `people` are the units: persons, sessions, devices, or groups of a type."""

    def __init__(
        self,
        story: Sequence[Happening],
        counted: Counted = BY_DEFAULT,
        unit: str = "person",
        gap: int = 30 * 60_000_000,
        as_of: int | None = None,
        exposures_from: int | None = None,
    ) -> None:
        self.exposures_from = exposures_from
        known = [each for each in story if as_of is None or each.recorded <= as_of]
        self.edges = [each for each in known if each.type in EDGES]
        self.everything = sorted(
            (each for each in known if each.type not in EDGES), key=lambda each: each.order
        )
        self.story = [each for each in self.everything if each in counted]
        self.unit_kind, _, self.group_type = unit.partition(":")
        self.gap = gap
        self.people: dict[str, list[Happening]] = {}
        for event in self.story:
            unit_of_event = self.unit(event)
            if unit_of_event is not None:
                self.people.setdefault(unit_of_event, []).append(event)

    def unit(self, event: Happening) -> str | None:
        """What an event counts for."""
        match self.unit_kind:
            case "device":
                return None if event.device is None else f"device {event.device}"
            case "session":
                return self.session(event)
            case "group":
                return self.group(event)
            case _:
                return self.person(event)

    def session(self, event: Happening) -> str | None:
        """The session of the event: named by its device and its first moment."""
        if event.device is None:
            return None
        began = before = None
        for each in self.everything:
            if each.device == event.device and each.at <= event.at:
                # A daily id is another device on the next day.
                is_next_day = each.is_daily and before is not None and each.at // DAY > before // DAY
                if before is None or each.at - before > self.gap or is_next_day:
                    began = each.at
                before = each.at
        return f"session {event.device} {began}"

    def group(self, event: Happening) -> str | None:
        """The group of the event's person: that of the person's latest `group` event of the type."""
        person = self.person(event)
        named = [
            each.group
            for each in self.everything
            if each.type == "group"
            and each.group is not None
            and each.group[0] == self.group_type
            and person is not None
            and self.person(each) == person
            and each.order <= event.order
        ]
        return f"group {named[-1][1]}" if named and named[-1] else None

    def is_in_force(self, edge_id: str) -> bool:
        """Whether no undo that is itself in force withdraws the edge."""
        return not any(
            each.undoes == edge_id and self.is_in_force(each.event_id)
            for each in self.edges
            if each.type == "undo"
        )

    def users_of(self, user: str) -> set[str]:
        """The user and all whom merges in force join with it, directly or by way of others."""
        found, unseen = {user}, [user]
        while unseen:
            one = unseen.pop()
            for edge in self.edges:
                ends = {edge.user, edge.into}
                if edge.type == "merge" and one in ends and self.is_in_force(edge.event_id):
                    new = {each for each in ends if each} - found
                    found |= new
                    unseen += new
        return found

    def person(self, event: Happening) -> str | None:
        """Who an event belongs to: `user NAME` (of several the first in the alphabet) or `device NAME`."""
        user = self.user(event)
        if user is not None:
            return f"user {min(self.users_of(user))}"
        return None if event.device is None else f"device {event.device}"

    def user(self, event: Happening) -> str | None:
        """The user whose an event is: whom a server names, else who was logged in on the device."""
        if event.source == "server" and event.user is not None:
            return event.user
        if event.device is None:
            return None
        logins = [
            each
            for each in self.everything
            if each.type == "identify"
            and each.device == event.device
            and each.user
            and self.is_in_force(each.event_id)
        ]
        if not logins:
            return None
        latest = logins[0]
        for login in logins:
            if login.order <= event.order:
                latest = login
        return latest.user

    def is_daily(self, event: Happening) -> bool:
        """Whether its unit is a daily id, or a person whom nobody identified behind one."""
        if self.unit_kind == "group":
            return False
        is_unknown = (self.person(event) or "").startswith("device")
        return event.is_daily and (is_unknown or self.unit_kind != "person")

    def trait(self, event: Happening, name: str, *, latest: bool, now: int) -> Any:
        """The trait of the event's person: as it was at the event, or is by now."""
        person = self.person(event)
        said = [
            each.traits[name]
            for each in self.everything
            if name in each.traits
            and each.user
            and f"user {min(self.users_of(each.user))}" == person
            and (each.at <= now if latest else each.order <= event.order)
        ]
        return said[-1] if said else None

    # Flags

    def exposure(self, person: str, flag: str) -> Exposure | None:
        """The first exposure of a person to a flag, of those that count."""
        seen = self.exposures(person, flag)
        if not seen:
            return None
        first = seen[0]
        views = [
            each
            for each in self.everything
            if each.type == "page_view"
            and each.page_id == first.page_id != ZERO_UUID
            and each.page_seq < first.page_seq
        ]
        view = max(views, key=lambda each: each.page_seq, default=None)
        return Exposure(
            first,
            first.variation or "",
            len({each.variation for each in seen}),
            view.event_id if view and first.source == "browser" else None,
        )

    def exposures(self, person: str, flag: str) -> list[Happening]:
        """The exposures of a person to a flag that count, in their order."""
        return [
            each
            for each in self.people.get(person, [])
            if each.type == "exposure"
            and each.flag == flag
            and (self.exposures_from is None or each.at >= self.exposures_from)
        ]

    def counts_after(self, event: Happening, exposure: Exposure) -> bool:
        """Whether an event counts for the variation."""
        return event.order >= exposure.event.order or event.event_id == exposure.view_id

    def assign(
        self, person: str, flag: str, is_entry: Callable[[Happening], bool], several: str = "first"
    ) -> tuple[str, list[Happening]]:
        """The group of a unit with an entry, and the events that count there.

        A unit that saw several variations is in a group of its own with `exclude`; with `as_treated` the group is only
        known once the entry is: see `treated`.
        """
        events = self.people[person]
        exposure = self.exposure(person, flag)
        if exposure is None:
            return "not exposed", events
        after = [event for event in events if self.counts_after(event, exposure)]
        if not any(is_entry(event) for event in after):
            return "before exposure", events
        if several == "exclude" and exposure.variations > 1:
            return "several variations", after
        return f"variation {exposure.variation}", after

    def treated(self, person: str, flag: str, group: str, entry: Happening) -> str:
        """The group by the latest variation that the unit had seen at its entry."""
        if not group.startswith("variation"):
            return group
        seen = [each.variation or "" for each in self.exposures(person, flag) if each.order <= entry.order]
        # An entry by the view of the page on which the exposure happened comes before it.
        return f"variation {seen[-1]}" if seen else group

    # Trends

    def trend(
        self, step: Step, period: str, *, zone: ZoneInfo, flag: str | None = None
    ) -> dict[str, dict[date, Any]]:
        """For each group and period (its first day): events and people."""
        found: dict[str, dict[date, Any]] = {}
        for event in self.story:
            if not step(event):
                continue
            person = self.person(event)
            day = from_micros(event.at).astimezone(zone).date()
            day = day - timedelta(days=day.weekday()) if period == "week" else day
            day = day.replace(day=1) if period == "month" else day
            groups = ["total"]
            if flag is not None:
                exposure = self.exposure(person, flag) if person else None
                if exposure is None:
                    groups.append("not exposed")
                elif self.counts_after(event, exposure):
                    groups.append(f"variation {exposure.variation}")
                else:
                    groups.append("before exposure")
            for group in groups:
                events, people = found.setdefault(group, {}).setdefault(day, (0, set()))
                found[group][day] = (events + 1, people | ({person} if person else set()))
        return {
            group: {day: (events, len(people)) for day, (events, people) in days.items()}
            for group, days in found.items()
        }


def moment_text(at: int) -> str:
    """An instant, for a message."""
    return datetime.isoformat(from_micros(at))
