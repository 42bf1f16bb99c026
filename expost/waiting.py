"""Requests whose answer takes long: a page says how far it is and asks again by itself; who is gone is not answered.

A browser that waits shows nothing. So a page that is not there after two seconds is answered by one that says how far
the question is and loads itself anew each second, without a script; the question goes on meanwhile, and the page takes
its place when it is done. A question that nobody comes back for is stopped.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from expost.pool import ASKED_BY
from expost.query_routes import Asked, Queries
from expost.ui.page import render_alone

PATIENCE_SECONDS = 2.0
AGAIN_SECONDS = 1
FORGOTTEN_SECONDS = 15.0
"""A page that nobody asked for again for so long is made no more."""

MOST_PAGES = 200

Key = tuple[str, bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Together:
    """How far the questions of one page are: how many run and wait, for how long, and the share of an only one."""

    running: int
    waiting: int
    seconds: float
    progress: float | None

    @property
    def is_several(self) -> bool:
        """Whether the page asks more than one."""
        return self.running + self.waiting > 1


def asked_together(questions: Sequence[Asked]) -> Together | None:
    """The questions of a page as one, the longest of them for all; None before the first is asked."""
    if not questions:
        return None
    running = [each for each in questions if each.began_at is not None]
    progress = running[0].progress if len(questions) == len(running) == 1 else None
    seconds = max(each.seconds for each in running or questions)
    return Together(len(running), len(questions) - len(running), seconds, progress)


class UntilGone:
    """Wraps an ASGI app: when the sender of a request goes away, what is done for it is stopped."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as long as somebody waits for the answer."""
        ears = _Ears(receive)
        if scope.get("method") in ("GET", "HEAD", "DELETE"):
            # Nobody asks for the body of such a request, and behind it stands the end of the connection.
            await ears.listen()
        answering = asyncio.ensure_future(self.app(scope, ears.receive, send))
        gone = asyncio.ensure_future(ears.hear_end())
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                answering.cancel()
                with suppress(asyncio.CancelledError):
                    await answering
                return
            answering.result()
        finally:
            answering.cancel()
            gone.cancel()


class _Ears:
    """Hears the end of a connection, and lets the app hear the body before."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_whole = asyncio.Event()
        self._first: Message | None = None
        self._end: asyncio.Future[Message] | None = None

    async def listen(self) -> None:
        """Take the first part of the body before the app asks for it."""
        self._first = await self.receive()

    async def receive(self) -> Message:
        """The next part of the body; after the last one, that the sender is gone."""
        first, self._first = self._first, None
        if first is not None:
            return first
        if self._is_whole.is_set():
            return await asyncio.shield(self._hear())
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            self._is_whole.set()
        return message

    async def hear_end(self) -> None:
        """Return when the sender is gone, once the app has the whole body."""
        await self._is_whole.wait()
        while (await asyncio.shield(self._hear()))["type"] != "http.disconnect":
            self._end = None

    def _hear(self) -> asyncio.Future[Message]:
        if self._end is None:
            self._end = asyncio.ensure_future(self._receive())
        return self._end


@dataclass(slots=True)
class Page:
    """A page that is being made: what it sends, once it does."""

    id: str
    making: asyncio.Task[None]
    messages: list[Message] = field(default_factory=list)
    forgetting: asyncio.TimerHandle | None = None


class PatientPages:
    """Wraps an ASGI app: pages that take long are answered by one that says how far they are."""

    def __init__(self, app: ASGIApp, queries: Queries) -> None:
        self.app = app
        self.queries = queries
        self._pages: dict[Key, Page] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: at once, or by saying how far the answer is."""
        if not _is_page(scope) or (len(self._pages) >= MOST_PAGES and _key(scope) not in self._pages):
            await UntilGone(self.app)(scope, receive, send)
            return
        key = _key(scope)
        page = self._pages.get(key) or self._make(key, scope)
        if page.forgetting is not None:
            page.forgetting.cancel()
        await asyncio.wait({page.making}, timeout=PATIENCE_SECONDS)
        if page.making.done():
            self._pages.pop(key, None)
            page.making.result()
            for message in page.messages:
                await send(message)
            return
        page.forgetting = asyncio.get_running_loop().call_later(FORGOTTEN_SECONDS, self._forget, key)
        await self._progress(page, scope)(scope, receive, send)

    def _make(self, key: Key, scope: Scope) -> Page:
        id_ = uuid.uuid4().hex
        token = ASKED_BY.set(id_)
        messages: list[Message] = []
        try:
            making = asyncio.get_running_loop().create_task(self._run(scope, messages))
        finally:
            ASKED_BY.reset(token)
        making.add_done_callback(lambda done: done.cancelled() or done.exception())
        page = self._pages[key] = Page(id_, making, messages)
        return page

    async def _run(self, scope: Scope, messages: list[Message]) -> None:
        never = asyncio.get_running_loop().create_future()
        has_body = False

        async def receive() -> Message:
            nonlocal has_body
            if not has_body:
                has_body = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await never
            return {"type": "http.disconnect"}

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)

    def _forget(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        if page is not None:
            page.making.cancel()

    def _progress(self, page: Page, scope: Scope) -> ASGIApp:
        asked = asked_together([each for each in self.queries.running() if each.request == page.id])
        query = scope["query_string"].decode("latin-1")
        address = quote(scope["path"]) + (f"?{query}" if query else "")
        return render_alone("waiting.html", asked=asked, again=AGAIN_SECONDS, address=address)


def _is_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(("/api/", "/static/")):
        return False
    return b"text/html" in dict(scope["headers"]).get(b"accept", b"")


def _key(scope: Scope) -> Key:
    headers = dict(scope["headers"])
    return scope["path"], scope["query_string"], headers.get(b"cookie", b""), headers.get(b"host", b"")
