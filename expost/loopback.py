"""The rule without accounts: pages and the API answer this machine only, and nobody who speaks for another site."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
READING = frozenset({"GET", "HEAD"})
# What proxies add. Nginx by default adds nothing and names its upstream as the host, but it speaks HTTP/1.0, as no
# browser does.
PROXY_HEADERS = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-host"}
)


def find_distance(peer: str | None, headers: Mapping[str, str], http_version: str = "1.1") -> str | None:
    """Why a request is not one of this machine, or `None` when it is. Header names are in lower case.

    >>> find_distance("127.0.0.1", {"host": "localhost:8000"})
    >>> find_distance("192.0.2.7", {"host": "localhost:8000"})
    'it comes from 192.0.2.7'
    """
    if peer is None or not is_loopback(peer):
        return f"it comes from {peer or 'an unknown address'}"
    if http_version == "1.0":
        return "it came through a proxy (HTTP/1.0)"
    for name in headers:
        if name in PROXY_HEADERS or name.startswith("x-forwarded-"):
            return f"it came through a proxy (header {name})"
    host = headers.get("host", "")
    return None if without_port(host).lower() in LOCAL_HOSTS else f"it asks for the host {host!r}"


def find_other_page(method: str, scheme: str, headers: Mapping[str, str]) -> str | None:
    """Which page of another site sent a request, as a reason to refuse it, or `None` when none did.

    >>> find_other_page("POST", "http", {"host": "localhost:8000", "origin": "https://evil.example"})
    'it was sent by a page of https://evil.example'
    """
    origin = headers.get("origin")
    if origin is not None and origin != f"{scheme}://{headers.get('host', '')}":
        return f"it was sent by a page of {origin}"
    # A link from another port of this machine is "same-site": it may open a page, not change anything.
    fetch_site = headers.get("sec-fetch-site", "none")
    if fetch_site == "cross-site" or (fetch_site == "same-site" and method not in READING):
        return "it was sent by a page of another site"
    return None


def without_port(host: str) -> str:
    """The name in a Host header.

    >>> without_port("localhost:8000"), without_port("[::1]:8000"), without_port("localhost")
    ('localhost', '[::1]', 'localhost')
    """
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.rsplit(":", 1)[0]


def is_loopback(peer: str) -> bool:
    """Whether an address is of this machine."""
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
