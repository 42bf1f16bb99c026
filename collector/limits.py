"""Who sends too much: token buckets for devices, addresses and keys, in memory and of bounded size.

A bucket is one number: the moment at which it will be full again. Names are kept as hashes, so that neither an address
nor a device stays in memory as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from expost.errors import ExpostError
from expost.settings import Settings
from expost.throttle import neighbourhood

Holder = Literal["device", "address", "key"]

MOST_NAMES = 50_000
"""How many buckets of a kind are known before the ones that were used least lately are forgotten, which fills them."""

LONGEST_WAIT_SECONDS = 60
KEY_BURST_SECONDS = 2
"""All visitors of a site share its key, so that its bucket holds what comes in so long, or the burst of one of them."""


class TooManyEvents(ExpostError):
    """More events than a device, an address or a key may send; `retry_after` seconds later there is room again."""

    code = "too_many_events"
    status = 429

    def __init__(self, holder: Holder, rate: Rate, wait: float) -> None:
        self.holder = holder
        self.retry_after = max(1, min(ceil(wait), LONGEST_WAIT_SECONDS))
        super().__init__(
            f"This {holder} sends more than {rate.per_second:,} events a second.",
            hint=f"Send them again after {self.retry_after} s, with the same ids. "
            f"The limit is the setting {holder}_events_per_second.",
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """How many events a second, and how many at once after a rest. None a second means no limit."""

    per_second: int
    burst: int


class Buckets:
    """Token buckets of one kind under names. Times are seconds of any one clock.

    >>> buckets = Buckets(Rate(per_second=10, burst=20))
    >>> [buckets.wait("ann", 15, now) or buckets.take("ann", 15, now) for now in (0.0, 0.5, 1.0)]
    [None, 0.5, None]
    """

    def __init__(self, rate: Rate, most: int = MOST_NAMES) -> None:
        self.rate = rate
        self._seconds_each = 1 / rate.per_second if rate.per_second else 0.0
        self._depth = rate.burst * self._seconds_each
        self._most = most // 2
        # Two halves: when the young one is full it becomes the old one, and what nobody used since is forgotten.
        self._young: dict[int, float] = {}
        self._old: dict[int, float] = {}

    def wait(self, name: str, count: int, now: float) -> float:
        """For how many seconds there is no room for `count` events under this name; 0 when there is."""
        return self.wait_at(hash(name), count, now)

    def wait_at(self, place: int, count: int, now: float) -> float:
        """The same for the bucket in this place, which is the hash of a name."""
        full_at = self.full_at(place)
        if full_at <= now:
            return 0.0
        # More at once than the bucket can ever hold passes when it is full.
        needed = min(count * self._seconds_each, self._depth)
        return max(0.0, full_at + needed - self._depth - now)

    def full_at(self, place: int) -> float:
        """When the bucket in this place will be full: long ago if it is not known."""
        return self._young.get(place) or self._old.get(place, 0.0)

    def take(self, name: str, count: int, now: float) -> None:
        """Take `count` events out of the bucket, whether there is room or not."""
        place = hash(name)
        self._set(place, max(self.full_at(place), now) + count * self._seconds_each)

    def take_at(self, place: int, count: int, now: float) -> bool:
        """Take `count` events out of the bucket in this place, if it has room for them; whether it had."""
        young = self._young
        full_at = young.get(place) or self._old.get(place, 0.0)
        cost = count * self._seconds_each
        if full_at <= now:
            full_at = now
        elif full_at + min(cost, self._depth) - self._depth > now:
            return False
        # What `_set` does, of which there are three for each batch.
        young[place] = full_at + cost
        if len(young) >= self._most:
            self._old, self._young = young, {}
        return True

    def give_back(self, place: int, count: int) -> None:
        """Undo what was taken out of the bucket in this place."""
        self._set(place, self.full_at(place) - count * self._seconds_each)

    def _set(self, place: int, full_at: float) -> None:
        young = self._young
        young[place] = full_at
        if len(young) >= self._most:
            self._old, self._young = young, {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


Places = tuple[tuple[Holder, Buckets, int], ...]
"""Where the events of a batch count: buckets of a kind, and the place among them."""


class Limits:
    """The buckets of every kind. A kind without a limit keeps none."""

    def __init__(self, rates: dict[Holder, Rate]) -> None:
        self._buckets = {holder: Buckets(rate) for holder, rate in rates.items() if rate.per_second}
        self._calm_from = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings ask for."""
        burst = settings.events_burst
        key_rate = settings.key_events_per_second
        return cls(
            {
                "device": Rate(settings.device_events_per_second, burst),
                "address": Rate(settings.address_events_per_second, burst),
                "key": Rate(key_rate, max(burst, key_rate * KEY_BURST_SECONDS)),
            }
        )

    def places(self, names: Mapping[Holder, str]) -> Places:
        """Where events of these count: what `check` and `take` want to know, found once for many batches."""
        return sum((self.place(holder, name) for holder, name in names.items()), ())

    def place(self, holder: Holder, name: str) -> Places:
        """The same for one name; empty if its kind has no limit."""
        buckets = self._buckets.get(holder)
        return () if buckets is None else ((holder, buckets, hash(name)),)

    def is_calm(self, now: float) -> bool:
        """Whether nobody sent too much of late, so that `check` has nothing to look up."""
        return now >= self._calm_from

    def check(self, places: Places, now: float) -> None:
        """Raise TooManyEvents if not even one event has room: for what is known before a batch is read."""
        if now < self._calm_from:
            for holder, buckets, place in places:
                if wait := buckets.wait_at(place, 1, now):
                    raise self._too_many(holder, buckets, wait, now)

    def take(self, places: Places, count: int, now: float) -> None:
        """Count events in all of these places, or in none and raise TooManyEvents."""
        taken = 0
        for holder, buckets, place in places:
            if not buckets.take_at(place, count, now):
                for _, others, before in places[:taken]:
                    others.give_back(before, count)
                raise self._too_many(holder, buckets, buckets.wait_at(place, count, now), now)
            taken += 1  # noqa: SIM113 (`enumerate` makes a tuple for each of the many)

    def _too_many(self, holder: Holder, buckets: Buckets, wait: float, now: float) -> TooManyEvents:
        # As long as nobody sends too much, nothing has to be looked up before a body is read.
        self._calm_from = now + LONGEST_WAIT_SECONDS
        return TooManyEvents(holder, buckets.rate, wait)


def counted_address(address: str) -> str:
    """Under what an address counts: itself, or of IPv6 its leading 64 bits, of which one visitor has all.

    >>> counted_address("192.0.2.7"), counted_address("2001:db8::1") == counted_address("2001:db8::2")
    ('192.0.2.7', True)
    """
    return neighbourhood(address) if ":" in address else address
