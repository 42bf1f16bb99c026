"""Every route of the application against everybody who may ask: who is let in, who is sent to log in, who is refused.

The routes are read from the application itself, so a new one is asked about here by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Route

from expost.access import Access
from expost.app import create_app, create_inside
from expost.clock import wall_clock
from expost.errors import NotBuilt
from expost.settings import Settings
from expost.state.accounts import Account, add_account
from expost.state.api_keys import add_api_key, revoke_api_key
from expost.state.audit import NOBODY
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.logins import IDLE, LONGEST, add_login, end_login, logins, use_login
from expost.state.password import hash_password
from expost.state.sites import Site, add_site
from tests.ui.stand_in import SITE, empty_access

SECOND = 1_000_000
COLUMNS = ("page", "page*", "api", "api*", "login", "login*", "setup", "setup*", "static", "definer*")
# `*`: with a method that changes something. `in`: it gets past the gate. `->`: to the login page. Else the status.
TABLE = """
who asks                                     | page page* api api* login login* setup setup* static definer*
no account: this machine                     | in   in    in  in   in    in     in    in     in     in
no account: this machine, with a write key   | in   in    in  in   in    in     in    in     in     in
no account: elsewhere                        | 403  403   403 403  403   403    in    in     in     403
no account: elsewhere, cross-site            | 403  403   403 403  403   403    in    403    in     403
no account: unknown proxy                    | 403  403   403 403  403   403    403   403    403    403
no account: unknown proxy, HTTP/1.0          | 403  403   403 403  403   403    403   403    403    403
no account: trusted proxy                    | 403  403   403 403  403   403    in    in     in     403
no account: this machine, foreign host       | 403  403   403 403  403   403    403   403    403    403
no account: this machine, cross-site         | 403  403   403 403  403   403    403   403    403    in
no account: this machine, same-site          | in   403   in  403  in    403    in    403    in     in
no account: this machine, foreign origin     | 403  403   403 403  403   403    403   403    403    in
nobody: this machine                         | ->   401   401 401  in    in     in    in     in     in
nobody: elsewhere                            | ->   401   401 401  in    in     in    in     in     in
nobody: trusted proxy                        | ->   401   401 401  in    in     in    in     in     in
nobody: unknown proxy                        | 403  403   403 403  403   403    403   403    403    403
nobody: elsewhere, foreign host              | 403  403   403 403  403   403    403   403    403    403
nobody: elsewhere, cross-site                | ->   403   401 403  in    403    in    403    in     in
login: this machine                          | in   in    in  in   in    in     in    in     in     in
login: elsewhere                             | in   in    in  in   in    in     in    in     in     in
login: trusted proxy                         | in   in    in  in   in    in     in    in     in     in
login: trusted proxy, same-origin            | in   in    in  in   in    in     in    in     in     in
login: trusted proxy, cookie of plain HTTP   | ->   401   401 401  in    in     in    in     in     in
login: unknown proxy                         | 403  403   403 403  403   403    403   403    403    403
login: elsewhere, cross-site                 | 403  403   403 403  in    403    in    403    in     in
login: elsewhere, same-site                  | in   403   in  403  in    403    in    403    in     in
login: elsewhere, foreign origin             | 403  403   403 403  in    403    in    403    in     in
login: elsewhere, null origin                | 403  403   403 403  in    403    in    403    in     in
login: elsewhere, foreign host               | 403  403   403 403  403   403    403   403    403    403
ended login: elsewhere                       | ->   401   401 401  in    in     in    in     in     in
idle login: elsewhere                        | ->   401   401 401  in    in     in    in     in     in
old login: elsewhere                         | ->   401   401 401  in    in     in    in     in     in
write key: elsewhere                         | ->   401   401 401  in    in     in    in     in     in
server key: elsewhere                        | ->   401   401 401  in    in     in    in     in     in
import key: elsewhere                        | ->   401   401 401  in    in     in    in     in     in
API key: elsewhere                           | ->   401   in  in   in    in     in    in     in     in
API key: trusted proxy                       | ->   401   in  in   in    in     in    in     in     in
API key: elsewhere, cross-site               | ->   403   in  in   in    403    in    403    in     in
API key: elsewhere, foreign host             | 403  403   403 403  403   403    403   403    403    403
revoked API key: elsewhere                   | ->   401   401 401  in    in     in    in     in     in
""".strip()
ROWS = [line.split("|") for line in TABLE.splitlines()[1:]]
EXPECTED: dict[str, dict[str, str]] = {
    who.strip(): dict(zip(COLUMNS, says.split(), strict=True)) for who, says in ROWS
}


async def no_answer(*_: Any, **__: Any) -> Any:
    """What every question gets here: who may ask is decided before."""
    raise NotBuilt("Nothing is answered here.")


def routes() -> list[tuple[str, str]]:
    """Method and path of every route, from the application."""
    inside = create_inside(no_answer, lambda: (SITE,), empty_access())
    found = [
        (method, each.path)
        for each in _flat(inside.routes)
        for method in sorted(each.methods or ())
        if method != "HEAD"
    ]
    assert len(found) > 50
    return found


def _flat(found: Any) -> Iterator[APIRoute | Route]:
    for each in found:
        # FastAPI keeps a router that was included as one thing; older ones put its routes in the list.
        inner = getattr(getattr(each, "original_router", each), "routes", None)
        if isinstance(each, APIRoute | Route):
            yield each
        elif inner is not None:
            yield from _flat(inner)
        else:
            raise AssertionError(f"{each!r} is a kind of route that this test does not know yet")


ROUTES = routes()


def column_of(method: str, path: str) -> str:
    kinds = {
        "/api/": "api",
        "/health": "api",
        "/metrics": "api",
        "/login": "login",
        "/setup-account": "setup",
        "/static/": "static",
        "/definer.json": "definer",
    }
    kind = next((kind for start, kind in kinds.items() if path.startswith(start)), "page")
    return kind if method == "GET" else f"{kind}*"


@dataclass
class House:
    """An application over a small state whose clock can be set."""

    path: Path
    now: int = field(default_factory=wall_clock)
    known: dict[str, str] | None = None

    def __post_init__(self) -> None:
        self.state = State(self.path)
        add_site(self.state, Site("shop", "Shop", public_url="https://expost.example/analytics"))
        settings = Settings(trusted_proxies=("10.0.0.0/8",))
        self.access = Access(self.state, settings, clock=lambda: self.now)

        async def collector(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        self.app = create_app(collector, no_answer, lambda: (SITE,), self.access)  # type: ignore[arg-type]
        self.account: Account | None = None

    def add_ann(self) -> None:
        self.account = add_account(self.state, "Ann", hash_password("four words make one"), lambda: self.now)

    def credentials(self, who: str, *, is_secure: bool) -> dict[str, str]:
        """The headers by which somebody is known."""
        if who == "nobody":
            return {}
        if who.endswith(" key") and "API" not in who:
            _, text = add_key(self.state, "shop", who.removesuffix(" key"), wall_clock)  # type: ignore[arg-type]
            return {"authorization": f"Bearer {text}"}
        assert self.account is not None
        if who.endswith("API key"):
            key, text = add_api_key(self.state, self.account, "report", wall_clock)
            if who == "revoked API key":
                revoke_api_key(self.state, key.prefix, wall_clock)
            return {"authorization": f"Bearer {text}"}
        return {"cookie": f"{'__Host-expost' if is_secure else 'expost'}={self._login(who)}"}

    def _login(self, who: str) -> str:
        assert self.account is not None
        aged = {"idle login": IDLE, "old login": LONGEST}.get(who, timedelta(0)) // timedelta(microseconds=1)
        made_at = self.now - aged - SECOND
        secret = add_login(self.state, self.account, "Firefox/140.0", lambda: made_at, by=NOBODY)
        login = next(each for each in logins(self.state) if each.used_at == made_at)
        if who == "old login":
            use_login(self.state, login.id, lambda: self.now)
        if who == "ended login":
            assert end_login(
                self.state, self.account.id, login.id, wall_clock, by=NOBODY, action="login ended"
            )
        return secret


@dataclass(frozen=True)
class Situation:
    """Where a request comes from, and what a browser or a proxy says with it."""

    peer: str = "192.0.2.7"
    base_url: str = "http://192.0.2.1:8000"
    headers: tuple[tuple[str, str], ...] = ()
    http_version: str = "1.1"


PLACES = {
    "this machine": Situation("127.0.0.1", "http://localhost:8000"),
    "elsewhere": Situation(),
    "trusted proxy": Situation(
        "10.0.0.9",
        "http://expost.example",
        (("x-forwarded-for", "198.51.100.4"), ("x-forwarded-proto", "https")),
    ),
    "unknown proxy": Situation("127.0.0.1", "http://localhost:8000", (("x-forwarded-for", "198.51.100.4"),)),
}
SAID = {
    "cross-site": (("sec-fetch-site", "cross-site"),),
    "same-site": (("sec-fetch-site", "same-site"),),
    "same-origin": (("sec-fetch-site", "same-origin"), ("origin", "https://expost.example")),
    "foreign origin": (("origin", "https://evil.example"),),
    "null origin": (("origin", "null"),),
    "foreign host": (("host", "evil.example"),),
}


def ask(house: House, row: str, method: str, path: str) -> Any:
    who, _, where = row.partition(": ")
    place, _, said = where.partition(", ")
    situation = PLACES[place]
    headers = {"accept": "text/html", **dict(situation.headers), **dict(SAID.get(said, ()))}
    is_secure = "x-forwarded-proto" in headers and said != "cookie of plain HTTP"
    if who != "no account":
        # What changes something may end a login, so the next one to ask has a new one.
        known = house.known or house.credentials(who, is_secure=is_secure)
        house.known = known if method == "GET" or "cookie" not in known else None
        headers |= known
    elif said == "with a write key":
        headers |= house.credentials("write key", is_secure=False)
    app = _speaking_http_1_0(house.app) if said == "HTTP/1.0" else house.app
    client = TestClient(
        app,
        situation.base_url,
        client=(situation.peer, 5),
        follow_redirects=False,
        raise_server_exceptions=False,
    )
    filled = re.sub(r"\{[^}]*\}", "tokens.css" if path.startswith("/static") else "x", path)
    return client.request(method, filled, headers=headers)


def _speaking_http_1_0(app: Any) -> Any:
    async def older(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "http_version": "1.0"}, receive, send)

    return older


def outcome(response: Any, path: str) -> str:
    """What became of a request, in the words of the table."""
    if (
        response.status_code == 303
        and response.headers["location"].startswith("/login")
        and path != "/logout"
    ):
        return "->"
    for status, code in ((401, "login_needed"), (403, "not_allowed")):
        if response.status_code == status and code in response.text:
            return str(status)
    assert response.status_code < 500, response.text
    return "in"


@pytest.mark.parametrize("row", EXPECTED)
def test_every_route_answers_whom_it_should_and_nobody_else(row: str, tmp_path: Path) -> None:
    house = House(tmp_path / "state.sqlite")
    if not row.startswith("no account"):
        house.add_ann()
    wrong = []
    for method, path in ROUTES:
        response = ask(house, row, method, path)
        expected, found = EXPECTED[row][column_of(method, path)], outcome(response, path)
        if found != expected:
            wrong.append(f"{method} {path}: {found} ({response.status_code}), not {expected}")
        policy = response.headers["content-security-policy"]
        assert "default-src 'self'" in policy, path
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        is_static = path.startswith("/static") and found == "in"
        assert response.headers["cache-control"] == ("no-cache" if is_static else "no-store"), path
    assert wrong == []


@pytest.mark.parametrize("path", ["/e", "/expost.js", "/expost-0123456789abcdef.js"])
@pytest.mark.parametrize(
    "row", ["no account: elsewhere", "nobody: elsewhere, foreign host", "login: elsewhere, cross-site"]
)
def test_what_pages_load_and_send_is_for_everyone(row: str, path: str, tmp_path: Path) -> None:
    house = House(tmp_path / "state.sqlite")
    if not row.startswith("no account"):
        house.add_ann()
    for method in ("GET", "POST", "OPTIONS"):
        assert ask(house, row, method, path).status_code == 204
