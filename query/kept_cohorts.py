"""The part of an open data folder that keeps cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expost.lake.subject import Subject
from expost.state.audit import Actor
from expost.state.cohorts import cohorts, find_cohort, remove_cohort, save_cohort
from expost.state.names import checked_name
from expost.state.sites import find_site

from .cohort import Cohort
from .opened import OpenedFolder
from .saved import in_force_at


class KeptCohorts(OpenedFolder):
    """Cohorts under their names. A list of ids is kept as keyed hashes: the state holds no id in clear."""

    def save_cohort(
        self,
        cohort: Cohort | None,
        name: str,
        *,
        users: Sequence[str] = (),
        devices: Sequence[str] = (),
        site: str | None = None,
        author: str = "",
        place: str = "",
    ) -> Cohort:
        """The cohort as saved: what `cohort` says, and who is listed; another meaning is a new version."""
        slug = find_site(self.state, site).slug
        checked_name(name, "cohort")
        listed = [self._id(slug, user=each) for each in dict.fromkeys(users)]
        browsers = [self._id(slug, device=each) for each in dict.fromkeys(devices)]
        meant = (
            Cohort(name, users=tuple(listed), devices=tuple(browsers))
            if cohort is None
            else replace(cohort, name=name, users=tuple(listed), devices=tuple(browsers))
        )
        for step in meant.steps:
            in_force_at(self.state, slug, step)
        kept = save_cohort(self.state, slug, name, meant.body(), clock=self.clock, by=Actor(author, place))
        return Cohort.from_json(kept.name, kept.body, kept.version)

    def cohorts(self, *, site: str | None = None) -> list[Cohort]:
        """The latest version of every cohort, by name."""
        slug = find_site(self.state, site).slug
        return [Cohort.from_json(each.name, each.body, each.version) for each in cohorts(self.state, slug)]

    def cohort(self, name: str, *, site: str | None = None) -> Cohort:
        """One cohort, its latest version."""
        kept = find_cohort(self.state, find_site(self.state, site).slug, name)
        return Cohort.from_json(kept.name, kept.body, kept.version)

    def remove_cohort(
        self, name: str, *, site: str | None = None, author: str = "", place: str = ""
    ) -> Cohort:
        """Forget a cohort with all its versions; gives the latest of them."""
        slug = find_site(self.state, site).slug
        kept = remove_cohort(self.state, slug, name, clock=self.clock, by=Actor(author, place))
        return Cohort.from_json(kept.name, kept.body, kept.version)

    def _id(self, site: str, *, user: str | None = None, device: str | None = None) -> int:
        return Subject.named(self.folder.secret(), site, user=user, device=device).id
