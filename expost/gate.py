"""The gate in front of pages and the API: asks admission, answers whoever is not let in, and writes the headers."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from expost.access import Access
from expost.admission import (
    DEFINER_PATH,
    LOGIN_PATH,
    OPEN,
    Asking,
    Caller,
    Credential,
    Verdict,
    Who,
    find_caller,
    is_for_programs,
    judge,
)
from expost.errors import ExpostError, LoginNeeded, NotAllowed, TooLarge
from expost.state.api_keys import ApiKey
from expost.state.logins import Login
from expost.ui.caller import CALLER, cookie_name
from expost.ui.page import SECURITY, render_bare

MAX_BODY_BYTES = 2_000_000
MAX_OPEN_BODY_BYTES = 64_000
"""What somebody unknown may send: a name, a password, a token, where the login leads, an element with its ancestors."""

MAX_NEXT = 5_000
"""Longer addresses are not come back to: the login page's own would be refused."""

UPLOADS = frozenset({"/imports", "/api/v1/imports"})
"""Where a file may be sent, by admins alone."""

FORM_BYTES = 100_000
"""What a form takes beside its file."""

SENT_BY_ANYBODY = OPEN | {DEFINER_PATH}
SITE_KEYS = ("xw_", "xs_", "xi_")


class Gate:
    """Wraps an ASGI app: only what `expost.admission` lets in gets to it, and it finds there who asks."""

    def __init__(self, app: ASGIApp, access: Access, max_upload_bytes: int = 0) -> None:
        self.app = app
        self.access = access
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on that may see pages or the API, answer any other."""
        if scope["type"] == "websocket":
            # There are none; one that comes to be must pass the same rule first.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sending = _with_headers(send)
        try:
            answer = await self._admit(scope)
        except ExpostError as problem:
            # A state that cannot be read lets nobody in.
            answer = _answer(asking_of(scope), problem)
        if answer is not None:
            await answer(scope, receive, sending)
            return
        await self.app(scope, _bounded(receive, self._limit(scope)), sending)

    def _limit(self, scope: Scope) -> int:
        """How large the body of a request may be. Who may upload at all is asked before any of a file is read."""
        if scope["path"] in SENT_BY_ANYBODY:
            return MAX_OPEN_BODY_BYTES
        if scope["path"] in UPLOADS and scope["method"] == "POST":
            return max(MAX_BODY_BYTES, self._max_upload_bytes + FORM_BYTES)
        return MAX_BODY_BYTES

    async def _admit(self, scope: Scope) -> Response | None:
        """The answer to whoever is not let in; `None` once it is known who asks."""
        asking, house = asking_of(scope), self.access.house()
        caller = find_caller(asking, house)
        bearer = _bearer(asking.headers)
        found: Login | ApiKey | None = None
        credential: Credential = "none"
        if house.has_account and bearer is not None and is_for_programs(asking.path):
            found = self.access.find_key(bearer)
            credential = "key" if found else "none"
        elif house.has_account:
            found = self.access.find_login(_cookie(asking.headers, caller))
            credential = "login" if found else "none"
        verdict = judge(asking, house, credential)
        if verdict.kind != "in":
            return _turned_away(asking, verdict, bearer, _target(scope))
        if found is not None:
            await self.access.remember_use(found)
        who = None if found is None else _who(found)
        scope[CALLER] = Caller(caller.address, caller.is_local, caller.is_secure, who)
        return None


def asking_of(scope: Scope) -> Asking:
    """A request of ASGI as admission reads it. Of a header that comes twice the last one counts, of hops all do."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        is_list = name in headers and name in ("x-forwarded-for", "cookie")
        headers[name] = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}" if is_list else value
    return Asking(
        scope["client"][0] if scope.get("client") else None,
        scope["method"],
        scope["path"],
        headers,
        scope.get("scheme", "http"),
        scope.get("http_version", "1.1"),
    )


def _who(found: Login | ApiKey) -> Who:
    if isinstance(found, Login):
        return Who(found.account_id, found.account, found.role, login_id=found.id)
    return Who(found.account_id, found.account, found.role, key=found.prefix)


def _bearer(headers: Mapping[str, str]) -> str | None:
    kind, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else None


def _cookie(headers: Mapping[str, str], caller: Caller) -> str:
    # Each pair alone: one odd cookie of somebody else on this host must not hide ours.
    for pair in headers.get("cookie", "").split(";"):
        try:
            cookie = SimpleCookie(pair.strip())
        except CookieError:
            continue
        if (morsel := cookie.get(cookie_name(caller))) is not None:
            return morsel.value
    return ""


def _target(scope: Scope) -> str:
    """The path and the query that were asked for, as a browser writes them."""
    path = quote(scope["path"], safe="/:@!$&'()*+,;=~-._")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path


def _turned_away(asking: Asking, verdict: Verdict, bearer: str | None, target: str) -> Response:
    if verdict.kind == "log in":
        if asking.method in ("GET", "HEAD") and _wants_page(asking) and _is_navigation(asking):
            is_kept = target != "/" and len(target) <= MAX_NEXT
            where = f"?next={quote(target, safe='')}" if is_kept else ""
            return RedirectResponse(LOGIN_PATH + where, 303)
        return _answer(asking, _login_needed(asking, bearer))
    error = NotAllowed(f"This request is refused: {verdict.reason}.", hint=verdict.hint)
    is_visit = verdict.kind == "foreign" and asking.method in ("GET", "HEAD")
    return _answer(asking, error, (target, "Open it") if is_visit else ("/", "To the start"))


def _login_needed(asking: Asking, bearer: str | None) -> LoginNeeded:
    if bearer is not None and is_for_programs(asking.path):
        kind = (
            "A key of a site opens /e only" if bearer.startswith(SITE_KEYS) else "This API key opens nothing"
        )
        return LoginNeeded(
            f"{kind}.",
            hint="API keys begin with xa_ and are made on the page Account, or with: expost accounts keys",
        )
    if is_for_programs(asking.path):
        return LoginNeeded(
            "The API needs a key.",
            hint="Send the header Authorization: Bearer xa_…; a key is made on the page Account, "
            "or with: expost accounts keys --new NAME",
        )
    hint = "Log in at /login. What you wrote in a form is still there when you go back."
    return LoginNeeded("Nobody is logged in here, or the login is over.", hint=hint)


def _answer(asking: Asking, error: ExpostError, link: tuple[str, str] = ("/", "To the start")) -> Response:
    """The error as a page to whoever reads pages, else as JSON."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if _wants_page(asking):
        return render_bare(error, status=error.status, headers=headers, link=link)
    return JSONResponse(error.to_json(), status_code=error.status, headers=headers)


def _wants_page(asking: Asking) -> bool:
    return "text/html" in asking.headers.get("accept", "") and not is_for_programs(asking.path)


def _is_navigation(asking: Asking) -> bool:
    """Whether a tab shows the answer: a panel that renews itself must not become a login page."""
    return asking.headers.get("sec-fetch-dest", "document") == "document"


def _with_headers(send: Send) -> Send:
    """Every answer carries the security headers, and none that says nothing else is kept by a cache."""
    defaults = [
        (name.lower().encode(), value.encode())
        for name, value in {**SECURITY, "Cache-Control": "no-store"}.items()
    ]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = [each for each in defaults if each[0] not in present]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sending


def _bounded(receive: Receive, limit: int) -> Receive:
    """The body up to a limit; beyond it TooLarge is raised where it is read."""
    size = 0

    async def receiving() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise TooLarge(f"The body is larger than {limit:,} bytes.", hint="Send less of it at once.")
        return message

    return receiving
