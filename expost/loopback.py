"""The rule until logins exist: pages and the API answer this machine only, and nobody who speaks for another site."""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from expost.errors import NotAllowed

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
READING = frozenset({"GET", "HEAD"})
# What proxies add. Nginx by default adds nothing and names its upstream as the host, but it speaks HTTP/1.0, as no
# browser does.
PROXY_HEADERS = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-host"}
)


def find_refusal(
    peer: str | None,
    method: str,
    scheme: str,
    headers: Iterable[tuple[bytes, bytes]],
    http_version: str = "1.1",
) -> str | None:
    """Why a request may not see pages or the API, or `None` when it may.

    >>> find_refusal("127.0.0.1", "GET", "http", [(b"host", b"localhost:8000")])
    >>> find_refusal("192.0.2.7", "GET", "http", [(b"host", b"localhost:8000")])
    'it comes from 192.0.2.7'
    """
    if peer is None or not _is_loopback(peer):
        return f"it comes from {peer or 'an unknown address'}"
    if http_version == "1.0":
        return "it came through a proxy (HTTP/1.0)"
    seen: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        if name in PROXY_HEADERS or name.startswith("x-forwarded-"):
            return f"it came through a proxy (header {name})"
        seen[name] = raw_value.decode("latin-1")
    host = seen.get("host", "")
    if _without_port(host).lower() not in LOCAL_HOSTS:
        return f"it asks for the host {host!r}"
    origin = seen.get("origin")
    if origin is not None and origin != f"{scheme}://{host}":
        return f"it was sent by a page of {origin}"
    # A link from another port of this machine is "same-site": it may open a page, not change anything.
    fetch_site = seen.get("sec-fetch-site", "none")
    if fetch_site == "cross-site" or (fetch_site == "same-site" and method not in READING):
        return "it was sent by a page of another site"
    return None


class LoopbackOnly:
    """Wraps an ASGI app: a request that `find_refusal` names a reason for gets 403 and that reason."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a local request on, refuse any other."""
        if scope["type"] == "http":
            peer = scope["client"][0] if scope.get("client") else None
            reason = find_refusal(
                peer, scope["method"], scope.get("scheme", "http"), scope["headers"], scope["http_version"]
            )
            if reason is not None:
                error = NotAllowed(
                    f"This request is refused: {reason}.",
                    hint="Pages and the API answer on this machine only: open http://localhost:PORT there.",
                )
                await _answer(send, error)
                return
        elif scope["type"] == "websocket":
            # There are none; one that comes to be must pass the same rule first.
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


async def _answer(send: Send, error: NotAllowed) -> None:
    body = json.dumps(error.to_json()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.rsplit(":", 1)[0]


def _is_loopback(peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
