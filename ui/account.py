"""The page of who is logged in: where, with which API keys, under which password."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.admission import Who
from expost.errors import ExpostError, InvalidInput
from expost.state.accounts import find_account
from expost.state.api_keys import ApiKey, add_api_key, api_keys, revoke_api_key
from expost.state.logins import Login, end_login, end_other_logins, logins
from expost.state.password import SHORTEST

from .caller import caller_of, remember
from .desk import Desk, in_thread
from .login import browser_of, form_of
from .page import add_retry, render

BROWSERS = (
    ("Edge", re.compile(r"Edg/")), ("Opera", re.compile(r"OPR/")), ("Firefox", re.compile(r"Firefox/")),
    ("Chrome", re.compile(r"Chrom(e|ium)/")), ("Safari", re.compile(r"Version/.*Safari/")),
    ("curl", re.compile(r"^curl/")),
)  # fmt: skip
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("macOS", "Macintosh"),
    ("ChromeOS", "CrOS"), ("Linux", "Linux"),
)  # fmt: skip
SAID = {
    "made": "The account is made, and you are logged in. From now on every page asks for a login, on this machine too.",
    "password": "The password is changed. Every other browser is logged out.",
    "ended": "That browser is logged out.",
    "others": "Every other browser is logged out.",
    "revoked": "That key opens nothing any more.",
}
"""What the page says after a change, by the word in its address."""


@dataclass(frozen=True, slots=True)
class LoginRow:
    """One line of the list of logins."""

    login: Login
    browser: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """What `account.html` shows. `made` is the text of a key that was made just now."""

    who: Who
    logins: tuple[LoginRow, ...]
    keys: tuple[ApiKey, ...]
    made: str = ""
    said: str = ""
    error: ExpostError | None = None
    shortest: int = SHORTEST


def browser_name(user_agent: str) -> str:
    """A browser as people know it.

    >>> browser_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((name for name, pattern in BROWSERS if pattern.search(user_agent)), "A browser")
    system = next((name for name, mark in SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def who_of(request: Request) -> Who:
    """Who is logged in."""
    who = caller_of(request).who
    if who is None or who.login_id is None:
        raise InvalidInput("There is no account to change.", hint="Make one first, at /setup-account.")
    return who


def add_account_page(router: APIRouter, desk: Desk) -> None:
    """`/account`, and what is changed there."""
    state, clock = desk.access.state, desk.access.clock

    @router.get("/account")
    async def account(request: Request) -> Response:
        """The page; without any account it says how to make one."""
        if not desk.access.house().has_account:
            return render(desk, request, "no_account.html")
        return await _show(desk, request, said=request.query_params.get("said", ""))

    @router.post("/account/password")
    async def password(request: Request) -> Response:
        """Another password; this browser stays logged in, all others do not."""
        who, caller, sent = who_of(request), caller_of(request), await form_of(request)
        try:
            secret = await desk.access.change_password(
                who, sent.get("current", ""), sent.get("new", ""), caller, browser_of(request)
            )
        except ExpostError as error:
            return add_retry(await _show(desk, request, error=error), error)
        return remember(RedirectResponse("/account?said=password", 303), caller, secret)

    @router.post("/account/logins/end")
    async def end(request: Request) -> Response:
        """Log another browser out, or all others."""
        who, sent, by = who_of(request), await form_of(request), caller_of(request).actor("")
        assert who.login_id is not None
        if "others" in sent:
            await in_thread(end_other_logins, state, who.account_id, who.login_id, clock, by=by)
            return RedirectResponse("/account?said=others", 303)
        number = sent.get("id", "")
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            return await _show(
                desk, request, error=InvalidInput("No login is named.", hint="Use a button of the list.")
            )
        await in_thread(end_login, state, who.account_id, int(number), clock, by=by, action="login ended")
        return RedirectResponse("/account?said=ended", 303)

    _add_keys(router, desk)


def _add_keys(router: APIRouter, desk: Desk) -> None:
    state, clock = desk.access.state, desk.access.clock

    @router.post("/account/keys")
    async def make_key(request: Request) -> Response:
        """A new API key, whose text this answer alone shows."""
        who, sent, by = who_of(request), await form_of(request), caller_of(request).actor("")
        try:
            owner = await in_thread(find_account, state, who.account)
            _, text = await in_thread(add_api_key, state, owner, sent.get("name", ""), clock, by=by)
        except ExpostError as error:
            return await _show(desk, request, error=error)
        return await _show(desk, request, made=text)

    @router.post("/account/keys/revoke")
    async def revoke_key(request: Request) -> Response:
        """Close a key at once and for ever."""
        who, sent, by = who_of(request), await form_of(request), caller_of(request).actor("")
        prefix = sent.get("prefix", "")
        try:
            await in_thread(revoke_api_key, state, prefix, clock, account_id=who.account_id, by=by)
        except ExpostError as error:
            return await _show(desk, request, error=error)
        return RedirectResponse("/account?said=revoked", 303)


async def _show(
    desk: Desk, request: Request, *, said: str = "", made: str = "", error: ExpostError | None = None
) -> Response:
    """The page, with what is said about the last change, or what was wrong with it."""
    who = who_of(request)
    state, now = desk.access.state, desk.access.clock()
    found = await in_thread(logins, state, who.account_id)
    rows = (
        LoginRow(each, browser_name(each.browser), each.id == who.login_id)
        for each in found
        if not each.is_over(now)
    )
    keys = tuple(each for each in await in_thread(api_keys, state, who.account_id) if each.is_active)
    view = AccountView(who, tuple(rows), keys, made, SAID.get(said, ""), error)
    return render(desk, request, "account.html", status=error.status if error else 200, view=view)
