"""What `/e` answers, as it is sent: acknowledgements, refusals, and what browsers ask before they send."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from expost.errors import ExpostError, WrongMethod

from .accept import Verdict
from .limits import TooManyEvents

Headers = list[tuple[bytes, bytes]]

RETRY_SECONDS = b"5"

CORS: Headers = [
    # Any page may read the answer: which pages may send is decided by the key. Without it a page sees every refusal as
    # a network error and would send again and again.
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
]
PREFLIGHT: Headers = [
    *CORS,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type, content-encoding, authorization"),
    (b"access-control-max-age", b"86400"),
]
ACKNOWLEDGED = {"type": "http.response.start", "status": 204, "headers": CORS}
NO_BODY = {"type": "http.response.body"}
_json = msgspec.json.Encoder().encode


def head_of(status: int, headers: Headers) -> bytes:
    """The status line and header fields of an answer, as they are sent."""
    return STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % each for each in headers])


ACKNOWLEDGED_HEAD = head_of(204, CORS)


async def acknowledge(send: Send) -> None:
    """Say that a batch is on disk."""
    await send(ACKNOWLEDGED)
    await send(NO_BODY)


async def answer_verdict(send: Send, verdict: Verdict) -> None:
    """Say what became of each event, to whoever asked for that."""
    said = {
        "accepted": verdict.accepted,
        "duplicates": verdict.duplicates,
        "rejected": [{"id": each.id, "reason": each.reason} for each in verdict.refused],
    }
    await _answer(send, 200, _json(said))


async def answer_refusal(send: Send, error: ExpostError) -> None:
    """Say why a batch is not taken, and when to send it again."""
    await _answer(send, error.status, _json(error.to_json()), _again(error))


def whole_refusal(error: ExpostError) -> tuple[bytes, bytes]:
    """Head and body of the same answer, as they are sent."""
    body = _json(error.to_json())
    return head_of(error.status, _fields(body, _again(error))), body


async def answer_other(method: str, send: Send) -> None:
    """Answer a request that sends nothing: what a browser asks before it sends, or a method that is none of ours."""
    if method == "OPTIONS":
        await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT})
        await send(NO_BODY)
        return
    error = WrongMethod(method, "/e", "POST")
    await _answer(
        send, 405, _json(error.to_json()), [(b"allow", b"POST, OPTIONS")], has_body=method != "HEAD"
    )


def _again(error: ExpostError) -> Headers:
    """When to send again, where that is of use."""
    if isinstance(error, TooManyEvents):
        return [(b"retry-after", str(error.retry_after).encode())]
    return [(b"retry-after", RETRY_SECONDS)] if error.status == 503 else []


def _fields(body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> Headers:
    length = str(len(body)).encode()
    return [*CORS, *more, (b"content-type", b"application/json"), (b"content-length", length)]


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    has_body: bool = True,
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _fields(body, headers)})
    await send({"type": "http.response.body", "body": body if has_body else b""})
