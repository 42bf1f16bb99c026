"""The short way of a batch that arrived whole, in one read: from the parser to whoever takes it, and the answer back.

There is no task, no scope and no message for it, which together cost as much as reading the batch. What is in any way
out of the ordinary goes the way that every other request goes, through ASGI.

Shorter still is the way of a head that came before, which is every head but the first of a sender, up to the length of
the body: it is not parsed again (`heads.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, cast

from msgspec import Struct

from .guard import Door, GuardedProtocol
from .heads import Heads, find_parts

Take = Callable[["WholeRequest"], bool]
"""Takes a request and will answer it. False: it goes the ordinary way, as if it had not been seen."""


def whole_first(door: Door, path: str, take: Take) -> type[asyncio.Protocol]:
    """The guarded protocol behind a door, for `http` of uvicorn; `take` is offered what is sent to `path`."""
    return cast(
        "type[asyncio.Protocol]",
        partial(
            WholeProtocol, door=door, path=path.encode("ascii"), take=take, heads=Heads(), fields=Fields()
        ),
    )


class WholeRequest(Struct, eq=False):
    """A POST that arrived whole.

    Of the protocol it is the request under way, so that it has what uvicorn looks at in one.
    """

    _protocol: WholeProtocol
    body: bytes
    known: object | None
    """What its taker wants to be told when the same head comes again from the same peer, and is told when it does.

    With a head that is known, address and fields are not. A taker for whom that is too little sets it to None and
    declines: the head is parsed then.
    """

    keep_alive: bool
    disconnected: bool = False
    response_complete: bool = False

    message_event: ClassVar[_NobodyWaits]
    response_started: ClassVar[bool] = False
    """Never begun and not complete: an answer is one write."""

    @property
    def query(self) -> bytes:
        """What stands behind the question mark of its address."""
        return self._protocol.query

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Its header fields, names in lower case. Only until it is taken."""
        return self._protocol.headers

    @property
    def peer(self) -> str:
        """The address at the other end of the connection."""
        client = self._protocol.client
        return client[0] if client else ""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where it is answered."""
        return self._protocol.loop

    def acknowledge(self, head: bytes, now: float) -> None:
        """Answer without a body, where the moment of the loop is known: what `answer` does, with a look less."""
        protocol = self._protocol
        transport = protocol.transport
        if not self.keep_alive or self.disconnected or transport.is_closing():
            self.answer(head)
            return
        self.response_complete = True
        transport.write(protocol.fields.whole(head, protocol.server_state.default_headers))
        protocol.rest(now)

    def answer(self, head: bytes, body: bytes = b"") -> None:
        """Answer: `head` is the status line and header fields, `Content-Length` among them if there is a body."""
        protocol = self._protocol
        transport = protocol.transport
        self.response_complete = True
        if self.disconnected or transport.is_closing():
            return
        fields = protocol.server_state.default_headers
        if self.keep_alive and not body:
            transport.write(protocol.fields.whole(head, fields))
        elif self.keep_alive:
            transport.write(protocol.fields.whole(head, fields) + body)
        else:
            written = protocol.fields.written(fields)
            transport.write(b"%b%bconnection: close\r\n\r\n%b" % (head, written, body))
            transport.close()
        protocol.on_response_complete()


class _NobodyWaits:
    """Stands where a request that goes through ASGI has an event."""

    def set(self) -> None:
        """There is nobody to wake."""


WholeRequest.message_event = _NobodyWaits()


class Fields:
    """Header fields that every answer has, as they are sent. Uvicorn makes a new list of them every second."""

    def __init__(self) -> None:
        self._fields: list[tuple[bytes, bytes]] | None = None
        self._written = b""
        self._head: bytes | None = None
        self._whole = b""

    def whole(self, head: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
        """An answer without a body: this head, these fields, and the empty line. Nearly all are the same."""
        if head is not self._head or fields is not self._fields:
            self._whole = b"%b%b\r\n" % (head, self.written(fields))
            self._head = head
        return self._whole

    def written(self, fields: list[tuple[bytes, bytes]]) -> bytes:
        """These fields, as they are sent."""
        if fields is not self._fields:
            self._fields = fields
            # What was kept whole has the fields of before.
            self._head = None
            self._written = b"".join([b"%b: %b\r\n" % each for each in fields])
        return self._written


class WholeProtocol(GuardedProtocol):
    """Offers requests that arrived whole to `take` before they become ASGI's."""

    def __init__(
        self, *arguments: Any, path: bytes, take: Take, heads: Heads, fields: Fields, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.fields = fields
        self._path = path
        self._take = take
        self._heads = heads
        self._peer = 0
        self._is_undecided = False
        self._is_declined = False
        self._whole_body = b""
        self._taken: WholeRequest | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._peer = hash(self.client[0] if self.client else "")

    def is_at_work(self) -> bool:
        """Whether anything was read or answered since the last look, or is to be answered.

        A request that waits has no deadline. Who sends one after the other waits nearly always, also at two looks.
        """
        cycle: Any = self.cycle
        return super().is_at_work() or (isinstance(cycle, WholeRequest) and not cycle.response_complete)

    @property
    def query(self) -> bytes:
        """What stands behind the question mark of the address."""
        return self.url[len(self._path) + 1 :]

    def data_received(self, data: bytes) -> None:
        """Take a request whose head is known, or parse what arrived.

        A request that is not whole by then goes the ordinary way.
        """
        # Whether all that arrived before was whole requests, and they are answered.
        is_between = not (self._is_in_head or self._is_in_body or self._is_refused or self.flow.write_paused)
        if is_between and self._is_free() and self._take_known(data):
            return
        super().data_received(data)
        if self._is_undecided and not self._is_refused:
            self._go_the_ordinary_way()
        self._is_declined = False
        if self._taken is not None:
            self._remember(data, self._taken)
            self._taken.body = b""
            self._taken = None

    def hand_over(self) -> None:
        """Wait for the body, if this may be a request that arrives whole."""
        if self._may_be_taken():
            self._is_undecided = True
            self._whole_body = b""
        else:
            super().hand_over()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._is_undecided:
            self._whole_body = self._whole_body + body if self._whole_body else body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: offer it."""
        if not self._is_undecided:
            super().on_message_complete()
            return
        assert self.parser is not None
        request = WholeRequest(self, self._whole_body, None, self.parser.should_keep_alive())
        if self._offer(request):
            self._is_undecided = False
            self._whole_body = b""
            self._taken = request
            return
        self._go_the_ordinary_way()
        super().on_message_complete()

    def _take_known(self, data: bytes) -> bool:
        parts = find_parts(data, self._peer)
        if parts is None:
            return False
        place, head_bytes = parts
        known = self._heads.find(place)
        if known is None:
            return False
        request = WholeRequest(self, data[head_bytes:], known, True)
        if self._offer(request):
            # It stays here until the next one: a thousand connections are not to hold a thousand bodies.
            request.body = b""
            return True
        self._is_declined = request.known is not None
        return False

    def _remember(self, data: bytes, request: WholeRequest) -> None:
        if request.known is None or not request.keep_alive:
            return
        parts = find_parts(data, self._peer)
        # Only if all that arrived is this one request, as the parser understood it.
        if parts is not None and data[parts[1] :] == request.body:
            self._heads.remember(parts[0], request.known)

    def _offer(self, request: WholeRequest) -> bool:
        before, is_in_body = self.cycle, self._is_in_body
        offered: Any = request
        self.cycle = offered
        self._deadline = 0.0
        self._is_in_body = False
        if self._take(request):
            return True
        self.cycle = before
        self._is_in_body = is_in_body
        return False

    def _go_the_ordinary_way(self) -> None:
        body, self._whole_body = self._whole_body, b""
        self._is_undecided = False
        super().hand_over()
        if body:
            super().on_body(body)

    def _may_be_taken(self) -> bool:
        path, url, parser = self._path, self.url, self.parser
        assert parser is not None
        return (
            url.startswith(path)
            and (len(url) == len(path) or url[len(path)] == ord("?"))
            and b"#" not in url
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
            and not self.flow.write_paused
            and not self._is_declined
            and self._is_free()
        )

    def _is_free(self) -> bool:
        # Uvicorn declares it as never absent; before the first request it is.
        cycle: Any = self.cycle
        return cycle is None or (cycle.response_complete and not self.pipeline)
