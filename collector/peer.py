"""The visitor's address: used in memory, written nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

MAX_REMEMBERED = 10_000
MAX_REMEMBERED_LENGTH = 200


def networks(names: Sequence[str]) -> tuple[Network, ...]:
    """The networks of the setting `trusted_proxies`."""
    return tuple(ip_network(name) for name in names)


def visitor_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address of the visitor: the last hop that is not one of our own proxies.

    What stands left of that hop was written by the visitor and is worth nothing.

    >>> ours = networks(["10.0.0.0/8"])
    >>> visitor_address("10.0.0.1", "6.6.6.6, 192.0.2.7, 10.0.0.2", ours)
    '192.0.2.7'
    >>> visitor_address("192.0.2.8", "6.6.6.6", ours)
    '192.0.2.8'
    """
    if not trusted or not forwarded_for or not is_within(peer, trusted):
        return peer
    address = peer
    for hop in reversed(forwarded_for.split(",")):
        name = hop.strip().strip('"')
        if not _is_address(name):
            return address
        address = name
        if not is_within(name, trusted):
            return address
    return address


def is_within(name: str, trusted: Sequence[Network]) -> bool:
    """Whether an address is in one of these networks. What is no address is in none."""
    try:
        address = ip_address(name)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in trusted)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Visitors:
    """Finds addresses of visitors behind the proxies that are believed, and remembers those it found lately."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._known: dict[tuple[str, str], str] = {}

    def address(self, peer: str, forwarded_for: str) -> str:
        """The address of the visitor, as `visitor_address` says."""
        if not self._trusted or not forwarded_for:
            return peer
        hops = peer, forwarded_for
        address = self._known.get(hops)
        if address is None:
            address = visitor_address(peer, forwarded_for, self._trusted)
            if len(forwarded_for) <= MAX_REMEMBERED_LENGTH:
                if len(self._known) >= MAX_REMEMBERED:
                    self._known.clear()
                self._known[hops] = address
        return address
