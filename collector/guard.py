"""What a connection may do before anything of ours sees it: how large a head may be, how slow a sender.

Uvicorn by itself takes heads of any size and waits for ever. Use it as `uvicorn.Config(..., http=GuardedProtocol)`, or
`http=guarded(door)` to bound how many connections there are. `whole.py` adds a shorter way for most batches.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .peer import Network, is_within

MAX_URL_BYTES = 16_000
MAX_HEAD_BYTES = 64_000
HEAD_SECONDS = 8.0
BODY_SECONDS = 8.0
SLOWEST_BYTES_PER_SECOND = 4_000
"""A sender on a bad line has more time than a sender of single bytes: the deadline moves with what arrived."""

LINGER_SECONDS = 3.0
DISCARD_SECONDS = 8.0
MAX_DISCARDED_BYTES = 32_000_000
LOOK_EVERY_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.1
"""Whoever is beyond a deadline is looked at once more: what they sent may lie unread while this process is busy."""

RETRY = "retry-after: 5\r\naccess-control-expose-headers: retry-after\r\n"
STOP_SECONDS = 1.0
"""How long a server that is asked to end waits for the rest of a body."""


class Refusal(Exception):
    """A request that is answered here, with a status, and never reaches the application."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Door:
    """How many connections there may be, in all and from one address, and how many there are.

    `busy` are those of which something was read or answered in the last second or two, or whose batch waits for the
    disk; the others are only kept open.

    >>> door = Door(most=3, most_per_address=2)
    >>> [door.enter("a"), door.enter("a"), door.enter("a"), door.enter("b"), door.enter("c")]
    [True, True, False, True, False]
    """

    most: int
    most_per_address: int
    trusted: Sequence[Network] = ()
    count: int = 0
    busy: int = 0
    turned_away: int = 0
    _by_address: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> bool:
        """Whether one more may come from here; if so it is counted. Behind a proxy stand many, so it may have all."""
        if self.count >= self.most or (
            self._by_address[address] >= self.most_per_address and not is_within(address, self.trusted)
        ):
            self.turned_away += 1
            return False
        self.count += 1
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One that had entered is gone."""
        self.count -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class Unhurried:
    """The transport of a connection for one who answers: closing waits until the rest of the body has arrived."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: GuardedProtocol) -> None:
        self._protocol = protocol

    def close(self) -> None:
        """Say that this was all, and close when the sender has said theirs."""
        self._protocol.close_when_read()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol.transport, name)


def guarded(door: Door) -> type[asyncio.Protocol]:
    """The protocol behind a door, for the setting `http` of uvicorn."""
    return cast("type[asyncio.Protocol]", partial(GuardedProtocol, door=door))


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with limits of size and time."""

    def __init__(self, *arguments: Any, door: Door | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._door = door
        self._entered: str | None = None
        self._refusal: Refusal | None = None
        self._is_in_head = False
        self._is_in_body = False
        self._is_refused = False
        self._is_ending = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._discarded_bytes = 0
        self._phase_began = 0.0
        # One timer for the whole life of a connection that looks now and then: requests set only a number.
        self._deadline = 0.0
        self._deadline_before = 0.0
        self._is_busy = False
        self._is_beyond = False
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        if self._door is not None:
            address = self.client[0] if self.client else ""
            if not self._door.enter(address):
                self._refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "There are too many connections"))
                self.transport.close()
                return
            self._entered = address
        self._deadline = self.loop.time() + HEAD_SECONDS
        self._count_as_busy(True)
        self._look = self.loop.call_later(LOOK_EVERY_SECONDS, self._look_at_deadline)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline, and make room for another."""
        if self._door is not None and self._entered is not None:
            self._door.leave(self._entered)
            self._entered = None
        self._count_as_busy(False)
        if self._look is not None:
            self._look.cancel()
            self._look = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, as far as the limits allow."""
        self._unset_keepalive_if_required()
        if self._is_refused or self.parser is None:
            self._discard(len(data))
            return
        try:
            self.parser.feed_data(data)
            if self._is_in_head:
                self._head_bytes += len(data)
                self._check_head()
        except httptools.HttpParserUpgrade:
            # We speak nothing else: the request is answered as if it had not asked, and the connection ends.
            self.cycle.keep_alive = False
        except httptools.HttpParserError as problem:
            self._refuse(self._refusal or Refusal(HTTPStatus.BAD_REQUEST, f"This is not HTTP: {problem}"))
        except Refusal as refusal:
            self._refuse(refusal)

    def on_message_begin(self) -> None:
        """A request begins. What uvicorn prepares for an application waits until one is to see it."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._is_in_head = True
        self._head_bytes = 0
        self._deadline = self.loop.time() + HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        """Take a piece of the address."""
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop(HTTPStatus.REQUEST_URI_TOO_LONG, f"An address has at most {MAX_URL_BYTES} bytes")

    def on_headers_complete(self) -> None:
        """The head is whole: hand the request over, if it may be."""
        size = len(self.url)
        hosts = 0
        for name, value in self.headers:
            size += len(name) + len(value) + 4
            if name == b"host":
                hosts += 1
        if size > MAX_HEAD_BYTES:
            self._stop(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"A head has at most {MAX_HEAD_BYTES} bytes"
            )
        assert self.parser is not None
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._stop(HTTPStatus.BAD_REQUEST, "A request names one host")
        self._is_in_head = False
        self._is_in_body = True
        self._body_bytes = 0
        self._phase_began = self.loop.time()
        self._deadline = self._phase_began + BODY_SECONDS
        self.hand_over()

    def hand_over(self) -> None:
        """Give the request, whose head is whole and allowed, to the application."""
        url, headers, is_asked_to_go_on = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, is_asked_to_go_on
        self.scope["headers"] = headers
        super().on_headers_complete()
        # Before its task runs: of one that asks for the end of the connection the answer is followed by its close.
        self.cycle.transport = cast("asyncio.Transport", Unhurried(self))

    def close_when_read(self) -> None:
        """Close, but not while a body is on its way: the sender would see a reset instead of our answer."""
        if self._is_in_body and not self.transport.is_closing():
            self._is_ending = True
            self.transport.write_eof()
        else:
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self.cycle.response_complete:
            self._discard(len(body))
            return
        self._body_bytes += len(body)
        self._deadline = self._phase_began + BODY_SECONDS + self._body_bytes / SLOWEST_BYTES_PER_SECOND
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: from here on it is us who take time."""
        self._is_in_body = False
        self._deadline = 0.0
        super().on_message_complete()
        if self._is_ending:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of a body that was refused before its end."""
        self.rest(self.loop.time())

    def rest(self, now: float) -> None:
        """The same, answered at the moment `now` of the loop."""
        self._discarded_bytes = 0
        # Not closed at once: the system would send a reset, and the sender would see that instead of our answer.
        wait = DISCARD_SECONDS if self._is_in_body else HEAD_SECONDS + self.timeout_keep_alive
        self._deadline = now + wait
        self.server_state.total_requests += 1
        # What uvicorn does here, without its timer for each request: the deadline above is looked at anyway.
        if (self.flow.read_paused or self.pipeline) and not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())

    def shutdown(self) -> None:
        """Answer what has arrived; whoever has not sent all of it soon is asked to come back."""
        super().shutdown()
        if self._is_in_body:
            self.loop.call_later(STOP_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self._is_in_body:
            self._refuse(Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The server is stopping"))
            self.transport.close()

    def _stop(self, status: HTTPStatus, reason: str) -> None:
        # The parser turns what its callbacks raise into an error of its own, so the reason is kept beside it.
        self._refusal = Refusal(status, reason)
        raise self._refusal

    def _check_head(self) -> None:
        if self._head_bytes > MAX_HEAD_BYTES:
            status = (
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if self.url else HTTPStatus.REQUEST_URI_TOO_LONG
            )
            raise Refusal(status, f"A head has at most {MAX_HEAD_BYTES} bytes")

    def _refuse(self, refusal: Refusal) -> None:
        if self.transport.is_closing() or self._is_refused:
            return
        if self._is_ending:
            # The answer was given; what comes behind it may be anything.
            self.transport.close()
            return
        self._is_refused = True
        self._is_in_head = self._is_in_body = False
        self._discarded_bytes = 0
        self._deadline = self.loop.time() + LINGER_SECONDS
        # Uvicorn declares it as never absent; before the first request it is.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.close()
                return
        text = f"{refusal.reason}.\n".encode("ascii", "replace")
        head = (
            f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\n"
            "content-type: text/plain; charset=utf-8\r\n"
            "access-control-allow-origin: *\r\n"
            f"{RETRY if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE else ''}"
            f"content-length: {len(text)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + text)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _discard(self, size: int) -> None:
        self._discarded_bytes += size
        if self._discarded_bytes > MAX_DISCARDED_BYTES:
            self.transport.abort()

    def is_at_work(self) -> bool:
        """Whether anything was read or answered since the last look."""
        # Each request moves the deadline: one that stands where it stood a look ago had none meanwhile.
        return self._deadline != self._deadline_before

    def _count_as_busy(self, is_busy: bool) -> None:
        self._deadline_before = self._deadline
        if self._door is not None and is_busy != self._is_busy:
            self._door.busy += 1 if is_busy else -1
        self._is_busy = is_busy

    def _look_at_deadline(self) -> None:
        if self.transport.is_closing():
            return
        self._count_as_busy(self.is_at_work())
        was_beyond = self._is_beyond
        self._is_beyond = bool(self._deadline) and self.loop.time() >= self._deadline
        is_last_look = was_beyond or not self._is_beyond
        self._look = self.loop.call_later(
            LOOK_EVERY_SECONDS if is_last_look else LOOK_AGAIN_SECONDS, self._look_at_deadline
        )
        # A turn of the loop may take seconds under load, in which more arrives from the same sender, and the loop runs
        # its timers before it reads that. Between two looks it reads all that had arrived before the first of them.
        if not (was_beyond and self._is_beyond):
            return
        is_waiting = self._is_in_head or (self._is_in_body and not self.cycle.response_complete)
        if is_waiting and not self._is_refused:
            self._refuse(Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive"))
        else:
            self.transport.abort() if self._is_refused else self.transport.close()
