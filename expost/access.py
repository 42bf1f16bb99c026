"""Logging in and what follows from it: who is known by which cookie or key, and the work that passwords take.

What is known is read again as soon as the state changes, so that whatever is revoked opens nothing from then on.
Passwords are hashed in threads of their own, a few at a time: no other request waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import TypeVar

from expost.admission import Caller, House, Who
from expost.clock import Clock, wall_clock
from expost.collector.peer import networks
from expost.errors import ExpostError, TooManyTries, WrongLogin
from expost.settings import Settings
from expost.state.accounts import (
    Account,
    account_named,
    accounts,
    change_password,
    check_name,
    find_account,
    renew_hash,
)
from expost.state.api_keys import ApiKey, api_keys, use_api_key
from expost.state.audit import Actor, note
from expost.state.database import State
from expost.state.logins import Login, add_login, logins, use_login
from expost.state.names import name_key
from expost.state.password import check_password, hash_password, is_outdated, is_password, prepare
from expost.state.secret import digest_of
from expost.state.setup_token import check_setup_token, spend_setup_token
from expost.state.sites import sites
from expost.throttle import Throttle, neighbourhood

log = logging.getLogger("expost.access")
Found = TypeVar("Found")

HASHING_AT_ONCE = 2
MOST_WAITING = 16
"""How many logins may be under way; whoever comes after them is asked to come back."""

USED_EVERY = timedelta(minutes=5) // timedelta(microseconds=1)
"""Last use is written down no more often than this: not every request is a change of the state."""

FAILURES_NOTED_AN_HOUR = 20
FAMILIAR = 1_000
"""How many pairs of account and address from which somebody logged in are remembered."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the state says about access, at one of its revisions."""

    revision: int = -1
    house: House = field(default_factory=House)
    logins: Mapping[str, Login] = field(default_factory=dict)
    keys: Mapping[str, ApiKey] = field(default_factory=dict)


@dataclass(slots=True)
class Failures:
    """When failures of one kind were noted in the last hour, and how many were not since the last that was."""

    noted: deque[float] = field(default_factory=deque)
    unnoted: int = 0

    def is_noted(self, now: float) -> bool:
        """Count one more: whether it gets a line of its own."""
        while self.noted and now - self.noted[0] > 3_600:
            self.noted.popleft()
        if len(self.noted) >= FAILURES_NOTED_AN_HOUR:
            self.unnoted += 1
            return False
        self.noted.append(now)
        return True

    def take_unnoted(self) -> int:
        """How many had no line; from now on none."""
        count, self.unnoted = self.unnoted, 0
        return count


class Access:
    """The desk of the house: finds who is known, logs in, makes the first account, changes passwords."""

    def __init__(
        self,
        state: State,
        settings: Settings,
        *,
        clock: Clock = wall_clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self.clock = clock
        self._settings = settings
        self._seconds = seconds
        self._known = Known()
        # Under a name the delay ends soon, because anybody may keep guessing at it; from one address it grows long.
        self._names = Throttle(free=5, longest=60)
        self._addresses = Throttle(free=10, longest=900)
        # Whoever has mistyped a token is not kept from logging in by it, nor the other way round.
        self._token_addresses = Throttle(free=10, longest=900)
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._failures: dict[str, Failures] = defaultdict(Failures)
        self._hashing = ThreadPoolExecutor(HASHING_AT_ONCE, "password")
        self._hashing.submit(prepare)
        self._waiting = 0

    def house(self) -> House:
        """What admission needs to know, as of now."""
        return self._look().house

    def find_login(self, secret: str) -> Login | None:
        """The login of a cookie, unless it was ended or is over."""
        login = self._look().logins.get(digest_of(secret))
        return None if login is None or login.is_over(self.clock()) else login

    def is_login(self, login_id: int | None) -> bool:
        """Whether this login is in force; `None`, nobody's, is as long as there is no account."""
        known, now = self._look(), self.clock()
        if login_id is None:
            return not known.house.has_account
        return any(each.id == login_id and not each.is_over(now) for each in known.logins.values())

    def find_key(self, text: str) -> ApiKey | None:
        """The API key with this text, unless it was revoked. Keys of sites are never found here."""
        return self._look().keys.get(digest_of(text))

    async def remember_use(self, found: Login | ApiKey) -> None:
        """Write down that it was used, if that was not done lately. A state that cannot be written refuses nobody."""
        if self.clock() - (found.used_at or 0) < USED_EVERY:
            return
        try:
            if isinstance(found, Login):
                await asyncio.to_thread(use_login, self.state, found.id, self.clock)
            else:
                await asyncio.to_thread(use_api_key, self.state, found.id, self.clock)
        except ExpostError as problem:
            log.error("a use cannot be noted: %s", problem)

    async def log_in(self, name: str, password: str, caller: Caller, browser: str) -> str:
        """The secret of a new login, or WrongLogin. Unknown names take as long as known ones."""
        key, place = _counted_name(name), neighbourhood(caller.address)
        with self._turn(key, place):
            account = await asyncio.to_thread(account_named, self.state, name)
            is_right = await self._hash(is_password, account.password if account else None, password)
            if account is None or not is_right:
                await self._note_failure("login failed", _failed_name(account), caller)
                raise WrongLogin
            if is_outdated(account.password):
                hashed = await self._hash(hash_password, password)
                await asyncio.to_thread(renew_hash, self.state, account, hashed)
                account = await asyncio.to_thread(find_account, self.state, account.name)
            by = Actor(account.name, caller.actor("").place)
            secret = await asyncio.to_thread(add_login, self.state, account, browser, self.clock, by=by)
        self._welcome(key, place)
        return secret

    async def set_up(self, token: str, name: str, password: str, caller: Caller, browser: str) -> str:
        """Make the account that a setup token is for, and log in with it: the secret of the login."""
        place = neighbourhood(caller.address)
        with self._turn(None, place, self._token_addresses):
            try:
                await asyncio.to_thread(self._check_token, token)
            except WrongLogin:
                await self._note_failure("setup token refused", "one that is not in force", caller)
                raise
            told = check_name(name)
            check_password(password)
            hashed = await self._hash(hash_password, password)
            by = Actor(told, caller.actor("").place)
            account = await asyncio.to_thread(
                spend_setup_token, self.state, token, told, hashed, self.clock, by=by
            )
            secret = await asyncio.to_thread(add_login, self.state, account, browser, self.clock, by=by)
        self._token_addresses.forgive(place)
        self._make_familiar(_counted_name(told), place)
        return secret

    async def change_password(self, who: Who, current: str, new: str, caller: Caller, browser: str) -> str:
        """Another password, for whoever knows the present one. Ends every login; the secret of a new one here."""
        key, place = _counted_name(who.account), neighbourhood(caller.address)
        with self._turn(key, place):
            account = await asyncio.to_thread(find_account, self.state, who.account)
            if not await self._hash(is_password, account.password, current):
                await self._note_failure("login failed", _failed_name(account), caller)
                raise WrongLogin("This is not your present password.")
            self._welcome(key, place)
            check_password(new)
            hashed, by = await self._hash(hash_password, new), caller.actor(account.name)
            changed = await asyncio.to_thread(change_password, self.state, account, hashed, self.clock, by=by)
            return await asyncio.to_thread(add_login, self.state, changed, browser, self.clock, by=by)

    def close(self) -> None:
        """End the threads."""
        self._hashing.shutdown(wait=False, cancel_futures=True)

    def _look(self) -> Known:
        revision = self.state.revision()
        if revision != self._known.revision:
            self._known = self._read(revision)
        return self._known

    def _read(self, revision: int) -> Known:
        urls = [self._settings.public_url, *(site.public_url for site in sites(self.state))]
        return Known(
            revision,
            House(
                bool(accounts(self.state)),
                frozenset(url for url in urls if url),
                self._settings.host,
                networks(self._settings.trusted_proxies),
            ),
            {each.digest: each for each in logins(self.state)},
            {each.digest: each for each in api_keys(self.state) if each.is_active},
        )

    @contextmanager
    def _turn(self, name: str | None, place: str, addresses: Throttle | None = None) -> Iterator[None]:
        """Count a try, or refuse it. Who logged in from an address before is not kept out of it by others' guesses."""
        now = self._seconds()
        addresses = self._addresses if addresses is None else addresses
        is_familiar = name is not None and (name, place) in self._familiar
        by_name = 0.0 if name is None or is_familiar else self._names.wait(name, now)
        wait = max(by_name, addresses.wait(place, now))
        if wait > 0:
            raise TooManyTries(ceil(wait))
        if self._waiting >= MOST_WAITING:
            raise TooManyTries(1)
        if name is not None and not is_familiar:
            self._names.count(name, now)
        addresses.count(place, now)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _welcome(self, name: str, place: str) -> None:
        """The password was right: what was tried under the name is forgiven, and the address is familiar."""
        self._names.forgive(name)
        self._addresses.take_back(place)
        self._make_familiar(name, place)

    def _make_familiar(self, name: str, place: str) -> None:
        self._familiar[name, place] = None
        while len(self._familiar) > FAMILIAR:
            self._familiar.popitem(last=False)

    def _check_token(self, token: str) -> None:
        with self.state.reading() as connection:
            check_setup_token(connection, token, self.clock())

    async def _hash(self, work: Callable[..., Found], *arguments: str | None) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._hashing, work, *arguments)

    async def _note_failure(self, action: str, subject: str, caller: Caller) -> None:
        """A line in the audit, so many an hour; the next one says how many had none. What was typed is never in it."""
        now = self._seconds()
        failures = self._failures[action]
        if not failures.is_noted(now):
            return
        detail = f"and {failures.take_unnoted()} more before it" if failures.unnoted else ""
        by = Actor("", caller.actor("").place)
        await asyncio.to_thread(self._write_failure, by, action, subject, detail)

    def _write_failure(self, by: Actor, action: str, subject: str, detail: str) -> None:
        with self.state.writing() as connection:
            note(connection, self.clock(), by, action, subject, detail)


def _failed_name(account: Account | None) -> str:
    """Whose login failed. A name that no account has is not written: people type their password there."""
    return account.name if account else "a name that no account has"


def _counted_name(name: str) -> str:
    """What tries at a name are counted under: of one length, and not what was typed, which may be a password."""
    return digest_of(name_key(name[:200]))
