"""How long somebody who may be guessing has to wait: twice as long with each try, up to a bound. No I/O, no clock."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address


@dataclass(slots=True)
class _Tries:
    count: int
    last: float
    until: float


class Throttle:
    """Counts tries under names; the first `free` ones never wait. Times are seconds of any one clock.

    >>> throttle = Throttle(free=2, longest=60)
    >>> for _ in range(4): throttle.count("ann", now=0)
    >>> throttle.wait("ann", now=0), throttle.wait("bob", now=0), throttle.wait("ann", now=2)
    (2.0, 0.0, 0.0)
    """

    def __init__(self, *, free: int, longest: float, forget: float = 3_600, most: int = 10_000) -> None:
        self.free = free
        self.longest = longest
        self.forget = forget
        self.most = most
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, name: str, now: float) -> float:
        """For how many seconds nothing is tried under this name. Asking makes it no longer."""
        tries = self._tries.get(name)
        return 0.0 if tries is None else max(0.0, tries.until - now)

    def count(self, name: str, now: float) -> None:
        """A try begins. It counts before it is known how it ends, so that many at once gain nothing."""
        tries = self._tries.pop(name, None)
        if tries is None or now - tries.last > self.forget:
            tries = _Tries(0, now, now)
        tries.count += 1
        tries.last = now
        beyond = tries.count - self.free
        # The exponent is bounded too: a float ends at 2 ** 1023.
        tries.until = now + min(2.0 ** min(beyond - 1, 64), self.longest) if beyond > 0 else now
        self._tries[name] = tries
        while len(self._tries) > self.most:
            self._tries.popitem(last=False)

    def take_back(self, name: str) -> None:
        """The try that was counted last was a good one."""
        tries = self._tries.get(name)
        if tries is not None:
            tries.count -= 1
            tries.until = tries.last

    def forgive(self, name: str) -> None:
        """Nothing that was tried under this name counts any more."""
        self._tries.pop(name, None)

    def __len__(self) -> int:
        return len(self._tries)


def neighbourhood(address: str) -> str:
    """What one guesser may have at will: an address of IPv4, or the 64 leading bits of one of IPv6.

    >>> neighbourhood("192.0.2.7"), neighbourhood("2001:db8::1") == neighbourhood("2001:db8::2")
    ('192.0.2.7', True)
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or int(found) >> 64)
    return str(found)
