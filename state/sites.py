"""Sites: whose events these are. The slug is written into every event, so it never changes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update

from expost.clock import wall_clock
from expost.errors import InvalidInput, UnknownSite

from .audit import NOBODY, Actor, note
from .database import State
from .schema import DEFAULT_ENVIRONMENTS, KEEP_MONTHS, SITES

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
ALL_ENVIRONMENTS = "all"
"""What is said for every environment, here and in questions."""
MOST_NAMED = 10
MOST_CHARACTERS = 200
MOST_MONTHS = 1_200
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Site:
    """One site and what decides its numbers.

    `week_start` counts from Monday as 0. `origins` are the pages that may send with its keys, all when there are none.
    `public_url` is where its pages reach this server, if not at the address the server tells by itself. Events are kept
    for `keep_months` calendar months, for ever when that is `None`. `count_bots`, `count_internal` and `environments`
    (all when there are none) are what its numbers count unless a question says otherwise.
    """

    slug: str
    name: str
    time_zone: str = "UTC"
    week_start: int = 0
    origins: tuple[str, ...] = ()
    public_url: str | None = None
    count_bots: bool = False
    created_at: int = 0
    keep_months: int | None = KEEP_MONTHS
    count_internal: bool = False
    environments: tuple[str, ...] = DEFAULT_ENVIRONMENTS

    @property
    def kept(self) -> str:
        """For how long its events are kept, in words.

        >>> Site("shop", "Shop").kept
        'for 25 months'
        """
        if self.keep_months is None:
            return "for ever"
        return "for 1 month" if self.keep_months == 1 else f"for {self.keep_months:,} months"


def sites(state: State) -> list[Site]:
    """Every site, the oldest first."""
    with state.reading() as connection:
        rows = connection.execute(select(SITES).order_by(SITES.c.created_at, SITES.c.slug))
        return [_site(row) for row in rows]


def find_site(state: State, slug: str | None = None) -> Site:
    """The site called `slug`, or the only one when none is named."""
    known = sites(state)
    if slug is None:
        if len(known) == 1:
            return known[0]
        raise InvalidInput(
            f"There are {len(known)} sites, so one has to be named.",
            hint=_choice(known) if known else "Make one with: expost sites add NAME",
        )
    for site in known:
        if site.slug == slug:
            return site
    raise UnknownSite(slug, [site.slug for site in known])


def add_site(state: State, site: Site, *, by: Actor = NOBODY) -> Site:
    """Keep a new site; its values are checked first."""
    checked = _checked(site)
    with state.writing() as connection:
        if _exists(connection, checked.slug):
            raise InvalidInput(
                f"A site called {checked.slug!r} is there already.",
                hint="Choose another name, or say what events and commands call it: --slug NAME",
            )
        connection.execute(insert(SITES).values(_values(checked)))
        note(connection, wall_clock(), by, "site added", checked.slug)
    return checked


def change_site(state: State, slug: str, /, by: Actor = NOBODY, **changes: Any) -> Site:
    """The site with `changes` kept: fields of `Site` by name, all but `slug` and `created_at`."""
    if "slug" in changes or "created_at" in changes:
        raise InvalidInput(
            "A site's slug and age never change.", hint="Its name may: expost sites change --name"
        )
    changed = _checked(replace(find_site(state, slug), **changes))
    with state.writing() as connection:
        connection.execute(update(SITES).where(SITES.c.slug == slug).values(_values(changed)))
        note(connection, wall_clock(), by, "site changed", slug, _said(changes))
    return changed


def slug_of(name: str) -> str:
    """A slug made of a name.

    >>> slug_of("My Shop!")
    'my-shop'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or "site"


def origin_of(url: str) -> str:
    """The origin of an address as a browser writes it: no path, default port left out, lower case.

    >>> origin_of("https://Shop.example:443/cart")
    'https://shop.example'
    """
    if url == "null":
        return url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{url!r} is not an origin.", hint="Write it as https://shop.example")
    if "*" in parts.hostname:
        raise InvalidInput(
            f"{url!r} is not an origin: none stands for several.", hint="Name each: --origin, repeated."
        )
    if not parts.hostname.isascii():
        raise InvalidInput(
            f"{url!r} is not how browsers write this origin, so no page of it could send.",
            hint="Write it as it stands in location.origin of a page, such as https://xn--mller-kva.example",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")


def environments_of(names: Sequence[str]) -> tuple[str, ...]:
    """The environments that somebody named, none for `all`.

    >>> environments_of(["production", "staging", "production"]), environments_of(["all"])
    (('production', 'staging'), ())
    """
    unique = tuple(dict.fromkeys(names))
    if unique == (ALL_ENVIRONMENTS,):
        return ()
    for name in unique or ("",):
        if name == ALL_ENVIRONMENTS or not name.strip() or len(name) > MOST_CHARACTERS:
            raise InvalidInput(
                f"{name[:50]!r} is no environment.",
                hint="Name one or several, such as production, or say 'all' alone.",
            )
    return unique


def months_of(text: str) -> int | None:
    """The months that somebody wrote, `None` for ever.

    >>> months_of("13"), months_of("forever")
    (13, None)
    """
    if text == "forever":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise _no_months(text)
    return int(text)


def _no_months(given: object) -> InvalidInput:
    return InvalidInput(
        f"Events cannot be kept for {given} months.",
        hint=f"Use a whole number from 1 to {MOST_MONTHS:,}, or forever.",
    )


def _choice(known: Sequence[Site]) -> str:
    names = ", ".join(site.slug for site in known[:MOST_NAMED]) + (" …" if len(known) > MOST_NAMED else "")
    return f"Name one of: {names} (--site, or site= over HTTP and in Python)."


def _checked(site: Site) -> Site:
    if not SLUG.match(site.slug):
        raise InvalidInput(
            f"{site.slug!r} cannot name a site.",
            hint=f"Use lower-case letters, digits and dashes, for example {slug_of(site.slug)!r}.",
        )
    if not site.name.strip() or len(site.name) > MOST_CHARACTERS:
        raise InvalidInput(f"{site.name[:50]!r} cannot be a site's name.", hint="Use 1 to 200 characters.")
    try:
        ZoneInfo(site.time_zone)
    except (KeyError, ValueError, OSError) as problem:
        raise InvalidInput(
            f"time_zone is {site.time_zone!r}, which is no time zone.",
            hint="Use a name such as Europe/Berlin or UTC.",
        ) from problem
    if site.week_start not in range(7):
        raise InvalidInput(f"A week cannot start on day {site.week_start}.", hint="Monday is 0, Sunday is 6.")
    if site.keep_months is not None and not 1 <= site.keep_months <= MOST_MONTHS:
        raise _no_months(site.keep_months)
    return replace(
        site,
        origins=tuple(dict.fromkeys(origin_of(origin) for origin in site.origins)),
        environments=environments_of(site.environments or (ALL_ENVIRONMENTS,)),
    )


def _values(site: Site) -> dict[str, object]:
    return {
        "slug": site.slug,
        "name": site.name,
        "time_zone": site.time_zone,
        "week_start": site.week_start,
        "origins": json.dumps(site.origins),
        "public_url": site.public_url,
        "count_bots": site.count_bots,
        "created_at": site.created_at,
        "keep_months": site.keep_months,
        "count_internal": site.count_internal,
        "environments": json.dumps(site.environments),
    }


def _site(row: Row[Any]) -> Site:
    values = dict(row._mapping)
    for name in ("origins", "environments"):
        values[name] = tuple(json.loads(values[name]))
    return Site(**values)


def _said(changes: dict[str, Any]) -> str:
    """What was changed, as the audit says it.

    >>> _said({"time_zone": "Europe/Berlin", "count_bots": True, "origins": (), "keep_months": None, "week_start": 6})
    'time zone: Europe/Berlin; count bots: yes; origins: any; keep months: forever; week start: sunday'
    """
    return "; ".join(f"{name.replace('_', ' ')}: {_in_words(name, value)}" for name, value in changes.items())


def _in_words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "week_start" and isinstance(value, int):
        return WEEKDAYS[value]
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or {"origins": "any", "environments": ALL_ENVIRONMENTS}.get(
            name, "none"
        )
    if value is None:
        return "forever" if name == "keep_months" else "none"
    return str(value)


def _exists(connection: Connection, slug: str) -> bool:
    return connection.execute(select(SITES.c.slug).where(SITES.c.slug == slug)).first() is not None
