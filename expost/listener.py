"""The socket on which the server listens, and the addresses under which it is reached."""

from __future__ import annotations

import socket
from contextlib import suppress

from expost.errors import FolderError
from expost.settings import Settings

ALL = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - not listened on unless somebody says so
"""Hosts that mean every address of this machine, and the one of them by which it reaches itself."""
BEYOND = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}  # noqa: S104
"""For each of them an address that is nobody's (RFC 5737, RFC 3849), of the kind that it listens on."""


def listen(settings: Settings) -> socket.socket:
    """The socket that the settings say; FolderError if it cannot be had."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=2_048)
    except OSError as problem:
        raise FolderError(
            f"Nothing can listen on {settings.host} port {settings.port}: {problem.strerror or problem}.",
            hint="Choose another with --host and --port.",
        ) from problem


def own_url(listener: socket.socket) -> str:
    """The address by which this machine reaches it."""
    host, port = listener.getsockname()[:2]
    return f"http://{ALL.get(host) or _written(host)}:{port}"


def urls_elsewhere(listener: socket.socket) -> list[str]:
    """The addresses by which other machines reach it, as far as this one knows; none if it listens to itself alone."""
    host, port = listener.getsockname()[:2]
    if host not in ALL:
        return [] if host == "::1" or host.startswith("127.") else [own_url(listener)]
    outward = _outward(*BEYOND[host])
    names = [_written(outward)] if outward else [socket.gethostname()]
    return [f"http://{name}:{port}" for name in names]


def _outward(family: socket.AddressFamily, somewhere: str) -> str | None:
    """Our own address on the way to somewhere. Connecting a datagram socket looks up the way and sends nothing."""
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((somewhere, 9))
        found: str = asked.getsockname()[0]
        return found
    return None


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
