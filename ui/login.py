"""Logging in and out, and making the account that a setup token is for. These pages show nothing that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.access import Access
from expost.admission import LOGIN_PATH, SETUP_PATH, safe_next
from expost.errors import ExpostError
from expost.state.logins import end_login
from expost.state.password import SHORTEST

from .caller import caller_of, forget, remember
from .desk import Desk, in_thread
from .page import add_retry, render_alone


@dataclass(frozen=True, slots=True)
class LoginView:
    """What `login.html` shows: the form as filled in, and what was wrong with it."""

    name: str
    next: str
    is_plain: bool
    error: ExpostError | None = None


@dataclass(frozen=True, slots=True)
class SetupView:
    """What `setup_account.html` shows."""

    name: str
    has_account: bool
    is_plain: bool
    shortest: int = SHORTEST
    error: ExpostError | None = None


def add_login(router: APIRouter, desk: Desk) -> None:
    """`/login`, `/logout` and `/setup-account`."""
    access = desk.access

    @router.get(LOGIN_PATH)
    async def login(request: Request) -> Response:
        """The form; whoever is logged in goes on at once."""
        target = safe_next(request.query_params.get("next", "/"))
        if not access.house().has_account:
            return RedirectResponse(SETUP_PATH, 303)
        if _is_logged_in(request, access):
            return RedirectResponse(target, 303)
        return render_alone("login.html", view=LoginView("", target, _is_plain(request)))

    @router.post(LOGIN_PATH)
    async def log_in(request: Request) -> Response:
        """Log in, then show what was asked for before."""
        sent = await form_of(request)
        name, target = sent.get("name", ""), safe_next(sent.get("next", "/"))
        caller = caller_of(request)
        try:
            secret = await access.log_in(name, sent.get("password", ""), caller, browser_of(request))
        except ExpostError as error:
            view = LoginView(name, target, _is_plain(request), error)
            return add_retry(render_alone("login.html", status=error.status, view=view), error)
        await _end_this_login(request, access)
        return remember(RedirectResponse(target, 303), caller, secret)

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        """End this login."""
        await _end_this_login(request, access)
        return forget(RedirectResponse(LOGIN_PATH, 303), caller_of(request))

    @router.get(SETUP_PATH)
    async def setup(request: Request) -> Response:
        """The form for the token."""
        return _setup_page(request, access)

    @router.post(SETUP_PATH)
    async def set_up(request: Request) -> Response:
        """Make the account, and log in with it."""
        sent = await form_of(request)
        name, caller = sent.get("name", ""), caller_of(request)
        try:
            secret = await access.set_up(
                sent.get("token", ""), name, sent.get("password", ""), caller, browser_of(request)
            )
        except ExpostError as error:
            return add_retry(_setup_page(request, access, name, error), error)
        return remember(RedirectResponse("/account?said=made", 303), caller, secret)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, the last of each name."""
    sent: Any = await request.form()
    return {name: value for name, value in sent.multi_items() if isinstance(value, str)}


def browser_of(request: Request) -> str:
    """What the browser says it is."""
    return request.headers.get("user-agent", "")


async def _end_this_login(request: Request, access: Access) -> None:
    """End the login that this request came with, if it came with one."""
    caller = caller_of(request)
    if caller.who is not None and caller.who.login_id is not None:
        ids, by = (caller.who.account_id, caller.who.login_id), caller.actor("")
        await in_thread(end_login, access.state, *ids, access.clock, by=by, action="logged out")


def _is_logged_in(request: Request, access: Access) -> bool:
    return caller_of(request).who is not None and access.house().has_account


def _is_plain(request: Request) -> bool:
    """Whether the password would travel where others can read it."""
    caller = caller_of(request)
    return not caller.is_secure and not caller.is_local


def _setup_page(
    request: Request, access: Access, name: str = "", error: ExpostError | None = None
) -> Response:
    view = SetupView(name, access.house().has_account, _is_plain(request), error=error)
    return render_alone("setup_account.html", status=error.status if error else 200, view=view)
