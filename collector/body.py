"""The body of a request: at most so many bytes, unpacked if it is gzip, whatever its headers say."""

from __future__ import annotations

from starlette.types import Receive
from zlib_ng import zlib_ng

from .wire import TooLarge, Unreadable

MAX_BODY_BYTES = 1_000_000
MAX_UNPACKED_BYTES = 4_000_000
GZIP_MAGIC = b"\x1f\x8b"
ENCODINGS = frozenset({b"", b"gzip", b"identity"})


class Disconnected(Exception):
    """The sender went away before the end of its body."""


async def read_body(receive: Receive, length: bytes) -> bytes:
    """The bytes of the body; `length` is its Content-Length header, if any. Raises TooLarge or Disconnected."""
    if len(length) > 9 or (length.isdigit() and int(length) > MAX_BODY_BYTES):
        raise _too_large()
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise Disconnected
    if message.get("more_body"):
        chunks = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise _too_large()
            chunks.append(chunk)
        body = b"".join(chunks)
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def unpack(body: bytes) -> bytes:
    """The body without its compression. Pages cannot say that a beacon is gzip, so its first bytes decide.

    >>> import gzip
    >>> unpack(gzip.compress(b"{}")), unpack(b"{}")
    (b'{}', b'{}')
    """
    if not body.startswith(GZIP_MAGIC):
        return body
    unpacker = zlib_ng.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MAX_UNPACKED_BYTES + 1)
    except zlib_ng.error as problem:  # type: ignore[misc]  # its stub says that it is an instance
        raise Unreadable(f"The gzip of this body is damaged: {problem}.") from problem
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise TooLarge(
            f"The body unpacks to more than {MAX_UNPACKED_BYTES} bytes.", hint="Send smaller batches."
        )
    if not unpacker.eof:
        raise Unreadable("The gzip of this body ends too early.")
    if unpacker.unused_data:
        raise Unreadable("Bytes follow the end of this body's gzip.")
    return unpacked


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.", hint="Send smaller batches.")
