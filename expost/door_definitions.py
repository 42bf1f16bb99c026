"""The part of a `Lake` that names events: definitions, their past, and what has no name yet."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from typing import Any

from expost.door_asking import Asking
from expost.door_words import fields_said, names_of
from expost.errors import InvalidInput
from expost.query.definition import Definition, Words, definition
from expost.query.difference import Difference, DifferenceAnswer
from expost.query.health import Health, HealthAnswer
from expost.query.pattern import Pattern
from expost.query.preview import Preview, PreviewAnswer
from expost.query.property_match import PropertyMatch, Scalar
from expost.query.question import Moment, Step
from expost.query.suggested import Suggestions, SuggestionsAnswer
from expost.query.unnamed import Unnamed, UnnamedAnswer
from expost.query.word import refuse_unknown_names
from expost.state.details import Details

CONDITIONS = (
    "click", "change", "submit", "on", "view", "track", "text", "host", "path", "query", "hash", "properties",
    "target_only", "pierce",
)  # fmt: skip


class Definitions(Asking):
    """Definitions as methods. An event that was not named yet is defined in the same words."""

    def event(
        self,
        name: str = "event",
        *,
        click: Words = (),
        change: Words = (),
        submit: Words = (),
        on: Words = (),
        view: Words = (),
        track: Words = (),
        text: str | Pattern | None = None,
        host: str | Pattern | None = None,
        path: str | Pattern | None = None,
        query: Mapping[str, str | None] | None = None,
        hash: str | Pattern | None = None,  # noqa: A002  (a part of an address)
        properties: Mapping[str, Scalar] | Sequence[PropertyMatch] = (),
        target_only: bool = False,
        pierce: bool = False,
    ) -> Definition:
        """A definition that is not saved. Selectors, globs and names may be lists: any of them is enough.

        `on` names any type of event, with a selector behind it or not: `on="copy .price"`.
        """
        return definition(
            name, click=click, change=change, submit=submit, on=on, view=view, track=track, text=text, host=host,
            path=path, query=query, hash=hash, properties=properties, target_only=target_only, pierce=pierce,
        )  # fmt: skip

    def define(
        self,
        name: str,
        *,
        site: str | None = None,
        valid_from: Moment | None = None,
        valid_until: Moment | None = None,
        **conditions: Any,
    ) -> Definition:
        """Save a definition with the conditions of `event`; its whole past is there at once.

        The same name with another meaning becomes a new version; with the same meaning nothing changes. With
        `valid_from` or `valid_until` it counts in between, and elsewhere the versions before it do.
        """
        refuse_unknown_names(conditions, CONDITIONS, "define")
        return self.analysis.define(
            self.event(name, **conditions),
            site=site,
            valid_from=valid_from,
            valid_until=valid_until,
            author=getpass.getuser(),
            place="Python",
        )

    def definitions(self, *, site: str | None = None) -> list[Definition]:
        """The latest version of every saved definition, by name."""
        return self.analysis.definitions(site=site)

    def roll_back(self, name: str, version: int, *, site: str | None = None) -> Definition:
        """A new version that says what an old one said."""
        return self.analysis.roll_back(name, version, site=site, author=getpass.getuser(), place="Python")

    def describe(
        self,
        name: str,
        *,
        owner: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
        archived: bool | None = None,
        site: str | None = None,
    ) -> Details:
        """Set owner, tags or note of a definition, or whether it is archived; what is not given stays."""
        wanted = {"owner": owner, "tags": tags, "note": note, "archived": archived}
        return self.analysis.describe(name, site=site, author=getpass.getuser(), place="Python", **wanted)

    def difference(
        self, name: str, old: int, new: int, *, samples: int = 10, **common: Any
    ) -> DifferenceAnswer:
        """Which past events change sides between two versions of a definition: `.events("only_old")`, `.samples`."""
        return self._ask(
            Difference(name, old, new, samples, **fields_said(common, Difference)), DifferenceAnswer
        )

    def preview(self, of: Step | None = None, **asked: Any) -> PreviewAnswer:
        """The past of a definition: events, people, unknown, first and last, texts, pages, sample elements.

        `preview("Signed up")` is of a saved one, `preview(click="form.signup button")` of the conditions of `event`.
        """
        refuse_unknown_names(asked, {*CONDITIONS, *names_of(Preview)} - {"definition"}, "preview")
        conditions = {name: asked.pop(name) for name in CONDITIONS if name in asked}
        if of is not None and conditions:
            raise InvalidInput(
                f"Both a definition ({getattr(of, 'name', of)!r}) and conditions ({', '.join(conditions)}) are given.",
                hint="Leave one of them out.",
            )
        if of is None:
            if not conditions:
                raise InvalidInput(
                    "There is nothing to preview.",
                    hint='For example: preview("Signed up") or preview(click="a.buy")',
                )
            of = self.event("preview", **conditions)
        return self._ask(Preview(of, **fields_said(asked, Preview)), PreviewAnswer)

    def health(self, days: int | None = None, **common: Any) -> HealthAnswer:
        """Which saved definitions have fallen silent, by a test of their rate, with `repairs` for the broken ones."""
        return self._ask(Health(days, **fields_said(common, Health)), HealthAnswer)

    def suggest(
        self,
        event_id: str | None = None,
        *,
        element: str | int | None = None,
        level: int | None = None,
        limit: int = 8,
        **common: Any,
    ) -> SuggestionsAnswer:
        """Selectors for the element of an event (or for one by its id), ranked by what each would have gathered.

        `level` counts ancestors from the target outwards; without it the nearest link, button or field is meant.
        """
        wanted = None if element is None else str(element)
        return self._ask(
            Suggestions(event_id, wanted, level=level, limit=limit, **fields_said(common, Suggestions)),
            SuggestionsAnswer,
        )

    def unnamed(self, limit: int = 50, **common: Any) -> UnnamedAnswer:
        """Interactions that no definition matches, those of the most people first, with a name and selector each."""
        return self._ask(Unnamed(limit, **fields_said(common, Unnamed)), UnnamedAnswer)
