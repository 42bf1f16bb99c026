"""Tokens for a page that is cut off from the window that opened it: traded once for a grant, which asks for the past.

All of it lives in the memory of the server: a token is good for ten minutes, and a restart ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from expost.clock import Clock
from expost.errors import InvalidInput, WrongLogin
from expost.state.secret import digest_of, new_secret

LASTS = timedelta(minutes=10)
PREFIX = "xp_"
MOST = 100
"""How many are kept: whoever makes more ends the oldest."""

HINT = "Make another token on the page Point at it."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody chose in the page and would call it: shown in Expost, where it is saved or not."""

    kind: str
    selector: str
    text: str
    name: str


@dataclass(slots=True)
class Token:
    """For which site and pages of which origin it is, until when, and whose login it ends with."""

    site: str
    origin: str
    ends_at: int
    login_id: int | None
    grant: str | None = None
    chosen: Chosen | None = None


class PreviewTokens:
    """The tokens in force. `is_login(id)` says whether a login is; without an account the id is `None`."""

    def __init__(self, clock: Clock, is_login: Callable[[int | None], bool]) -> None:
        self._clock = clock
        self._is_login = is_login
        self._tokens: dict[str, Token] = {}
        self._grants: dict[str, Token] = {}

    def make(self, site: str, origin: str, login_id: int | None) -> str:
        """The text of a new token, seen this once."""
        self._forget()
        text = PREFIX + new_secret()
        ends_at = self._clock() + LASTS // timedelta(microseconds=1)
        self._tokens[digest_of(text)] = Token(site, origin_of(origin), ends_at, login_id)
        return text

    def trade(self, text: str, origin: str) -> tuple[Token, str]:
        """The token and its grant, for the page that it is for. A second one that has the token gets nothing."""
        token = self.unused(text, origin)
        grant = new_secret()
        token.grant = digest_of(grant)
        self._grants[token.grant] = token
        return token, grant

    def unused(self, text: str, origin: str) -> Token:
        """The token that a page of this origin may trade; it stays so."""
        token = self._in_force(self._tokens.get(digest_of(text)), origin)
        if token.grant is not None:
            raise WrongLogin("This token was used already.", hint=f"It is good for one page. {HINT}")
        return token

    def granted(self, grant: str, origin: str) -> Token:
        """What a grant is for; the same origin has to say it."""
        return self._in_force(self._grants.get(digest_of(grant)), origin)

    def find(self, text: str, login_id: int | None) -> Token:
        """The token as whoever made it sees it."""
        token = self._tokens.get(digest_of(text))
        return self._in_force(token if token and token.login_id == login_id else None, None)

    def _in_force(self, token: Token | None, origin: str | None) -> Token:
        if token is None or token.ends_at <= self._clock() or not self._is_login(token.login_id):
            raise WrongLogin("This token opens nothing any more.", hint=f"It lasts ten minutes. {HINT}")
        if origin is not None and origin != token.origin:
            raise WrongLogin(
                f"This token is for pages of {token.origin}, and this is one of {origin or 'no origin'}.",
                hint="Give the address that the page has in the end, after what it redirects to.",
            )
        return token

    def _forget(self) -> None:
        now = self._clock()
        kept = [each for each in self._tokens.items() if each[1].ends_at > now]
        self._tokens = dict(kept[-(MOST - 1) :])
        self._grants = {each.grant: each for each in self._tokens.values() if each.grant is not None}


def origin_of(address: str) -> str:
    """The origin of a page as browsers write it.

    >>> origin_of("https://Shop.example:443/tea?x=1"), origin_of("http://localhost:3000")
    ('https://shop.example', 'http://localhost:3000')
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(
            f"{address[:200]!r} is no address of a page.", hint="It begins with https:// or http://."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_usual = port in (None, {"http": 80, "https": 443}[parts.scheme])
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{port}"
