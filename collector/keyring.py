"""Keys in memory: what each one grants, read again as soon as the state changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from expost.errors import FolderError
from expost.state.database import State
from expost.state.keys import KeyKind, keys
from expost.state.secret import digest_of
from expost.state.sites import Site, sites

log = logging.getLogger("expost.collector")

LOST = (
    "The keys known so far stay in force. Stop the server, put the file back from a backup, start it again."
)

LOOK_EVERY_SECONDS = 0.02
"""A revoked key is one too many at once; a look costs microseconds, which under load are shared by many requests."""

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def is_local(host: str) -> bool:
    """Whether pages of this host are seen by their developers only.

    >>> is_local("shop.localhost"), is_local("shop.example")
    (True, False)
    """
    return host in LOCAL_HOSTS or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key opens: one site, for pages from `origins` (any when empty), for its servers, or for import.

    `key` tells one key from another, and opens nothing.
    """

    site: str
    kind: KeyKind
    origins: frozenset[str]
    has_public_origin: bool
    key: str = ""
    is_import: bool = field(init=False)
    """Whether it sends history."""

    is_server: bool = field(init=False)
    """Whether the site's own servers send with it."""

    def __post_init__(self) -> None:
        # Said once: every batch asks for both of them several times.
        object.__setattr__(self, "is_import", self.kind == "import")
        object.__setattr__(self, "is_server", self.kind == "server")

    def allows(self, origin: str) -> bool:
        """Whether a page of `origin` may send. Browsers name it with every POST to another site.

        A request without one comes from no page of another site, so that there is nothing to protect.
        """
        return self.kind != "write" or not self.origins or not origin or origin in self.origins


class Keyring:
    """Finds grants by key. A key that was made or revoked elsewhere is noticed within 20 milliseconds."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._grants: Mapping[str, Grant] = {}
        self._of_pages: dict[str, Grant] = {}
        self._revision = -1
        self._look_at = 0.0
        self._problem = ""
        self._read()

    def find(self, key: str) -> Grant | None:
        """What `key` grants. It is looked up by its digest, so the time taken tells nothing about other keys.

        The keys of pages are known to everybody, and those that were found are found again as they are.
        """
        self.revision()
        grant = self._of_pages.get(key)
        if grant is None:
            grant = self._grants.get(digest_of(key))
            if grant is not None and grant.kind == "write":
                self._of_pages[key] = grant
        return grant

    def revision(self) -> int:
        """Another number as soon as any grant may be another, so that what was found before is to be found again."""
        if time.monotonic() >= self._look_at:
            self._read()
        return self._revision

    def _read(self) -> None:
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
        try:
            revision = self._state.revision()
            if revision != self._revision:
                by_slug = {site.slug: site for site in sites(self._state)}
                if not by_slug and self._grants:
                    # Sites are never removed. Were the keys not known, pages would take their events for refused.
                    raise FolderError(f"{self._state.path} has lost its sites", hint=LOST)
                self._grants = {
                    key.digest: grant_of(by_slug[key.site], key.kind, key.prefix)
                    for key in keys(self._state)
                    if key.is_active
                }
                self._of_pages = {}
                self._revision = revision
        except Exception as problem:
            # A state that cannot be read for a moment must not cost events: the keys known so far stay in force.
            if self._revision < 0:
                raise
            # Once, and not fifty times a second.
            if str(problem) != self._problem:
                log.error("keys cannot be read again: %s", problem)
            self._problem = str(problem)
        else:
            if self._problem:
                log.warning("keys are read again")
            self._problem = ""


def grant_of(site: Site, kind: KeyKind, key: str = "") -> Grant:
    """What a key of this kind opens."""
    hosts = [urlsplit(origin).hostname or "" for origin in site.origins if origin != "null"]
    has_public_origin = not all(map(is_local, hosts))
    return Grant(site.slug, kind, frozenset(site.origins), has_public_origin, key)
