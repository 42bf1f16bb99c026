"""The part of a `Lake` about single persons: who is whom, what is kept of somebody, and that it is erased."""

from __future__ import annotations

import getpass
from typing import Any

from expost.door_asking import Asking
from expost.door_words import fields_said
from expost.query.timeline import Timeline, TimelineAnswer


class Persons(Asking):
    """Single persons, as methods."""

    @property
    def people(self) -> People:
        """Who is whom: `lake.people.show("ann@shop.example")`, `.merge`, `.undo`, and what these would change."""
        return People(self.analysis)

    def export_person(
        self, *, user: str | None = None, device: str | None = None, site: str | None = None
    ) -> dict[str, Any]:
        """Everything that is kept of one person: lake, journal and what was rejected."""
        return self.analysis.export_person(
            site=site, device=device, user=user, author=getpass.getuser(), place="Python"
        )

    def plan_erasure(
        self, *, user: str | None = None, device: str | None = None, site: str | None = None
    ) -> dict[str, Any]:
        """What `erase` would take. Changes nothing."""
        return self.analysis.plan_erasure(site=site, device=device, user=user)

    def erase(
        self,
        *,
        user: str | None = None,
        device: str | None = None,
        site: str | None = None,
        may_return: bool = False,
    ) -> dict[str, object]:
        """Erase one person, for good; the receipt. Whoever has the folder does it, and this waits a minute for that.

        What arrives of them later is not stored either; with `may_return`, only what they did before.
        """
        by = getpass.getuser()
        return self.analysis.erase(
            site=site,
            device=device,
            user=user,
            is_lasting=not may_return,
            author=by,
            place="Python",
            wait_seconds=60,
        )


class People(Asking):
    """Who is whom in a data folder."""

    def show(self, id: str, *, latest: int = 200, **common: Any) -> TimelineAnswer:  # noqa: A002 (its name everywhere)
        """One person by user, device or person_id: users, devices, edges, traits, and the latest events by session."""
        return self._ask(Timeline(id, latest, **fields_said(common, Timeline)), TimelineAnswer)

    def plan_merge(
        self, user: str, into: str, *, site: str | None = None, force: bool = False
    ) -> dict[str, Any]:
        """What `merge` would change in every saved definition. Changes nothing."""
        return self.analysis.plan_merge(user, into, site=site, force=force)

    def merge(self, user: str, into: str, *, site: str | None = None, force: bool = False) -> dict[str, Any]:
        """Make two users one person, who is then called `into`; its edge. All numbers follow; it can be undone."""
        by = getpass.getuser()
        return self.analysis.merge(user, into, site=site, force=force, author=by, place="Python")

    def plan_undo(self, *edges: str, site: str | None = None) -> dict[str, Any]:
        """What `undo` would change in every saved definition. Changes nothing."""
        return self.analysis.plan_undo(edges, site=site)

    def undo(self, *edges: str, site: str | None = None) -> dict[str, Any]:
        """Withdraw edges, as `show(…).edges` names them in `undo`; or give back what was withdrawn."""
        return self.analysis.undo(edges, site=site, author=getpass.getuser(), place="Python")
