"""What every page needs from the app: someone to ask, the sites, and the templates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import Request

from expost.access import Access
from expost.collector.sightings import Sightings
from expost.errors import ExpostError, UnknownSite
from expost.history.runs import Imports
from expost.query.answer import Answer
from expost.query.form import Form, form_of

Pairs = Sequence[tuple[str, str]]
Given = ParamSpec("Given")
Found = TypeVar("Found")


Call = Callable[..., Awaitable[Any]]
"""Runs a method of `Analysis` in a query process: `await call("ask", question)`."""


@dataclass(frozen=True, slots=True)
class PageSite:
    """A site as pages know it. `tag` is the whole line to paste, as `expost serve` prints it."""

    slug: str
    name: str
    time_zone: str
    tag: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, or the error that came instead of it, or neither when nothing was asked yet."""

    answer: Any = None
    error: ExpostError | None = None

    @property
    def status(self) -> int:
        """The HTTP status of a page that shows this."""
        return 200 if self.error is None else self.error.status


@dataclass(frozen=True, slots=True)
class Desk:
    """Where pages take their answers from."""

    call: Call
    sites: Callable[[], Sequence[PageSite]]
    access: Access
    limited: Callable[[], Mapping[str, int]] = dict
    sightings: Sightings = field(default_factory=Sightings)
    imports: Imports | None = None

    def site_of(self, request: Request) -> PageSite:
        """The site named by `?site=`, else the first."""
        sites = self.sites()
        slug = request.query_params.get("site", "")
        for site in sites:
            if slug in ("", site.slug):
                return site
        raise UnknownSite(slug, [site.slug for site in sites])

    def form_of(self, request: Request, without: frozenset[str] = frozenset()) -> Form:
        """The fields of the address in the words of `expost.query.form`, the site always said."""
        pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in without]
        return {**form_of(pairs), "site": [self.site_of(request).slug]}

    async def answer(self, question: Any) -> Any:
        """The answer, or the error raised."""
        return await self.call("ask", question)

    async def outcome(self, question_of: Callable[[], Any]) -> Outcome:
        """The answer to the question that is made, or what was wrong with it, for pages that keep their form."""
        try:
            return Outcome(await self.answer(question_of()))
        except ExpostError as error:
            return Outcome(error=error)


async def in_thread(work: Callable[Given, Found], *given: Given.args, **named: Given.kwargs) -> Found:
    """What the small state answers, while other requests go on."""
    return await asyncio.to_thread(work, *given, **named)


def address(path: str, pairs: Pairs = ()) -> str:
    """A path with its query string.

    >>> address("/definition", [("name", "Signed up & paid")])
    '/definition?name=Signed+up+%26+paid'
    """
    return f"{path}?{urlencode(pairs)}" if pairs else path


def pairs_of(form: Form) -> list[tuple[str, str]]:
    """The fields of a form as pairs, to write an address or hidden fields from."""
    return [(name, value) for name, values in form.items() for value in values]


def sql_text(answer: Answer) -> str:
    """The SQL that ran, headed by the values it was given."""
    values = "".join(f"-- ${name} = {value!r}\n" for name, value in answer.basis.parameters.items())
    return f"{values}{answer.basis.sql.strip()}\n"
