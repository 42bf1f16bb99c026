"""A page's URL in its parts, as the columns of an event hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass

# RFC 3986, appendix B. The standard library's split raises on some of what browsers send, and drops tabs.
_URL = re.compile(r"(?s)(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?")


@dataclass(frozen=True, slots=True)
class Address:
    """`host` with its port, where it is not the scheme's own; `query` and `hash` without their first character."""

    host: str
    path: str
    query: str
    hash: str


def split_url(url: str) -> Address:
    """The parts of any text: nothing raises, and a user name or password in the URL is dropped.

    >>> split_url("https://me:secret@Shop.Example/cart?step=2#top")
    Address(host='shop.example', path='/cart', query='step=2', hash='top')
    >>> split_url("http://shop.example")
    Address(host='shop.example', path='/', query='', hash='')
    """
    parts = _URL.match(url)
    if parts is None:  # every part is optional, so this never happens
        return Address("", url, "", "")
    scheme, authority, path, query, fragment = parts.groups()
    host = (authority or "").rpartition("@")[2].lower()
    if scheme and host.endswith(_PORTS.get(scheme.lower(), "\0")):
        host = host.rpartition(":")[0]
    return Address(host, path or ("/" if host else ""), query or "", fragment or "")


_PORTS = {"http": ":80", "https": ":443"}
