"""The part of an open data folder that keeps definitions."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from expost.errors import BuiltIn, UnknownDefinition
from expost.state import definitions as saved
from expost.state.audit import Actor
from expost.state.definitions import SHELF
from expost.state.details import Details, describe_as, details, find_details
from expost.state.names import name_key
from expost.state.sites import find_site, sites

from .calendar import calendar_of, interval_of
from .definition import Definition
from .definition_filing import definition_filing
from .file_folder import Plan, Written, apply_plan, export_folder, plan_folder
from .opened import OpenedFolder
from .question import Moment
from .saved import (
    built_in_json,
    check_definition,
    definition_of,
    find_built_in,
    in_force_at,
    pin_of,
    version_json,
    whole_of,
)
from .selector_sql import ENGINE_VERSION


class KeptDefinitions(OpenedFolder):
    """Definitions under their names: saved, described, rolled back, written to files and read from them."""

    def define(
        self,
        definition: Definition,
        *,
        site: str | None = None,
        valid_from: Moment | None = None,
        valid_until: Moment | None = None,
        author: str = "",
        place: str = "",
    ) -> Definition:
        """The definition as saved: a new version when it says something else than the latest one of that name.

        With `valid_from` or `valid_until` the version counts in between, and the versions before it where it does not;
        days are those of the site. The audit says that `author` saved it, from `place` (`expost.state.audit.Actor`).
        """
        found = find_site(self.state, site)
        check_definition(definition)
        interval = interval_of(calendar_of(found), valid_from, valid_until)
        kept = saved.save_definition(
            self.state,
            found.slug,
            definition.name,
            definition.body(),
            engine=ENGINE_VERSION,
            clock=self.clock,
            by=Actor(author, place),
            valid_from=interval.start,
            valid_until=interval.end,
        )
        return definition_of(kept)

    def definitions(self, *, site: str | None = None, archived: bool = False) -> list[Definition]:
        """The latest version of every saved definition, by name; those in the archive instead with `archived`."""
        slug = find_site(self.state, site).slug
        told = details(self.state, SHELF, slug)
        return [
            definition_of(each)
            for each in saved.definitions(self.state, slug)
            if told.get(name_key(each.name), Details()).archived == archived
        ]

    def details(self, name: str, *, site: str | None = None) -> Details:
        """Owner, tags and note of a definition, and whether it is archived; with a pin those of its name."""
        slug = find_site(self.state, site).slug
        if self._built_in(slug, name):
            return Details()
        return find_details(self.state, SHELF, slug, pin_of(self.state, slug, name)[0])

    def describe(
        self, name: str, *, site: str | None = None, author: str = "", place: str = "", **wanted: Any
    ) -> Details:
        """The details after those given (owner, tags, note, archived) are set, each with author and time."""
        slug, by = find_site(self.state, site).slug, Actor(author, place)
        self._refuse_built_in(slug, name)
        return describe_as(self.state, SHELF, slug, name, wanted, clock=self.clock, by=by)

    def roll_back(
        self, name: str, version: int, *, site: str | None = None, author: str = "", place: str = ""
    ) -> Definition:
        """A new version that says what an old one said, and is valid when that one was."""
        slug = find_site(self.state, site).slug
        self._refuse_built_in(slug, name)
        old = saved.find_definition(self.state, slug, name, version)
        kept = saved.save_definition(
            self.state,
            slug,
            saved.find_definition(self.state, slug, name).name,
            old.body,
            engine=ENGINE_VERSION,
            clock=self.clock,
            by=Actor(author, place),
            valid_from=old.valid_from,
            valid_until=old.valid_until,
        )
        return definition_of(kept)

    def export_definitions(self, folder: Path, *, site: str | None = None) -> list[Written]:
        """One file for each definition in `folder`; those that say the same already stay as they are."""
        found = find_site(self.state, site)
        return export_folder(definition_filing(self.state, found.slug, calendar_of(found)), folder)

    def plan_definitions(
        self, folder: Path, *, site: str | None = None, archives_missing: bool = False
    ) -> Plan:
        """What applying the files in `folder` would do."""
        found = find_site(self.state, site)
        filing = definition_filing(self.state, found.slug, calendar_of(found))
        return plan_folder(filing, folder, archives_missing=archives_missing)

    def apply_definitions(self, plan: Plan, *, author: str = "", place: str = "") -> None:
        """Do what was planned, all of it or nothing."""
        apply_plan(self.state, SHELF, plan, clock=self.clock, by=Actor(author, place))

    def definition(self, name: str, version: int | None = None, *, site: str | None = None) -> Definition:
        """One definition, its latest version unless one is given."""
        slug = find_site(self.state, site).slug
        built_in = self._built_in(slug, name, version)
        return built_in or definition_of(saved.find_definition(self.state, slug, name, version))

    def history(self, name: str, *, site: str | None = None) -> list[dict[str, Any]]:
        """Every version of a definition, oldest first; with a pin (`Signed up@2`) those up to that version."""
        slug = find_site(self.state, site).slug
        built_in = self._built_in(slug, name)
        if built_in is not None:
            return [built_in_json(built_in)]
        name, version = pin_of(self.state, slug, name)
        if version is not None:
            saved.find_definition(self.state, slug, name, version)
        versions = saved.definition_history(self.state, slug, name)
        return [version_json(each) for each in versions if version is None or each.version <= version]

    def _built_in(self, site: str, name: str, version: int | None = None) -> Definition | None:
        if version is None:
            name, version = pin_of(self.state, site, name)
        return find_built_in(self.state, site, name, version)

    def _refuse_built_in(self, site: str, name: str) -> None:
        built_in = self._built_in(site, name)
        if built_in is not None:
            raise BuiltIn(built_in.name)

    def _named(self, site: str | None, name: str) -> list[tuple[str, Definition]]:
        """The definitions of that name: of the site, or of every one."""
        slugs = [each.slug for each in sites(self.state) if site in (None, each.slug)]
        found = []
        for slug in slugs:
            with suppress(UnknownDefinition):
                found.append((slug, self._resolve(slug, name, None)))
        return found

    def _in_use(self, site: str) -> list[Definition]:
        told = details(self.state, SHELF, site)
        return [
            whole_of(versions)
            for versions in saved.all_versions(self.state, site)
            if not told.get(name_key(versions[-1].name), Details()).archived
        ]

    def _resolve(self, site: str, name: str, version: int | None) -> Definition:
        return in_force_at(self.state, site, name, version)
