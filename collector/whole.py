"""The short way of a batch that arrived whole, in one read: from the parser to whoever takes it, and the answer back.

There is no task, no scope and no message for it, which together cost as much as reading the batch. What is in any way
out of the ordinary goes the way that every other request goes, through ASGI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from .guard import Door, GuardedProtocol

Take = Callable[["WholeRequest"], bool]
"""Takes a request and will answer it. False: it goes the ordinary way, as if it had not been seen."""


def whole_first(door: Door, path: str, take: Take) -> type[asyncio.Protocol]:
    """The guarded protocol behind a door, for `http` of uvicorn; `take` is offered what is sent to `path`."""
    return cast(
        "type[asyncio.Protocol]", partial(WholeProtocol, door=door, path=path.encode("ascii"), take=take)
    )


class WholeRequest:
    """A POST that arrived whole.

    Of the protocol it is the request under way, so that it has what uvicorn looks at in one.
    """

    __slots__ = (
        "_protocol", "body", "disconnected", "keep_alive", "message_event", "query", "response_complete",
        "response_started",
    )  # fmt: skip

    def __init__(self, protocol: WholeProtocol, query: bytes, body: bytes, *, keep_alive: bool) -> None:
        self._protocol = protocol
        self.query = query
        self.body = body
        self.keep_alive = keep_alive
        self.message_event = NOBODY_WAITS
        self.disconnected = self.response_started = self.response_complete = False

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

    def answer(self, head: bytes, body: bytes = b"") -> None:
        """Answer: `head` is the status line and header fields, `Content-Length` among them if there is a body."""
        protocol = self._protocol
        self.response_started = self.response_complete = True
        if self.disconnected or protocol.transport.is_closing():
            return
        fields = b"".join([b"%b: %b\r\n" % each for each in protocol.server_state.default_headers])
        if not self.keep_alive:
            fields += b"connection: close\r\n"
        protocol.transport.write(b"%b%b\r\n%b" % (head, fields, body))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


class _NobodyWaits:
    """Stands where a request that goes through ASGI has an event."""

    def set(self) -> None:
        """There is nobody to wake."""


NOBODY_WAITS = _NobodyWaits()


class WholeProtocol(GuardedProtocol):
    """Offers requests that arrived whole to `take` before they become ASGI's."""

    def __init__(self, *arguments: Any, path: bytes, take: Take, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._path = path
        self._take = take
        self._is_undecided = False
        self._whole_body = b""

    def data_received(self, data: bytes) -> None:
        """Parse what arrived. A request that is not whole by then goes the ordinary way."""
        super().data_received(data)
        if self._is_undecided and not self._is_refused:
            self._go_the_ordinary_way()

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
        before = self.cycle
        request = WholeRequest(
            self,
            self.url[len(self._path) + 1 :],
            self._whole_body,
            keep_alive=self.parser.should_keep_alive(),
        )
        self.cycle = cast("Any", request)
        self._deadline = 0.0
        self._is_in_body = False
        if self._take(request):
            self._is_undecided = False
            self._whole_body = b""
            return
        self.cycle = before
        self._is_in_body = True
        self._go_the_ordinary_way()
        super().on_message_complete()

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
            and self._is_free()
        )

    def _is_free(self) -> bool:
        # Uvicorn declares it as never absent; before the first request it is.
        cycle = cast("Any", self.cycle)
        return cycle is None or (cycle.response_complete and not self.pipeline)
