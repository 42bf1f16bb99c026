"""Who sends too much: token buckets for devices, addresses and keys, in memory and of bounded size.

A bucket is one number: the moment at which it will be full again. Names are kept as hashes, so that neither an address
nor a device stays in memory as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from msgspec import Struct

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


class Bucket(Struct, eq=False, gc=False):
    """Room for the events of one name: it is empty for so long as `full_at`, when it will be full, is ahead.

    What its rate comes to stands in it as well: of three for each batch every one is looked at in one place.
    """

    holder: Holder
    rate: Rate
    seconds_each: float
    depth: float
    full_at: float = 0.0

    def wait(self, count: int, now: float) -> float:
        """For how many seconds there is no room for `count` events; 0 when there is."""
        if self.full_at <= now:
            return 0.0
        # More at once than the bucket can ever hold passes when it is full.
        needed = min(count * self.seconds_each, self.depth)
        return max(0.0, self.full_at + needed - self.depth - now)


Places = tuple[Bucket, ...]
"""Where the events of a batch count."""


class Buckets:
    """Token buckets of one kind under names. Times are seconds of any one clock.

    A bucket that was found may be held on to while `era` is the same: from then on those that nobody asks for again
    will be forgotten.

    >>> buckets = Buckets("device", Rate(per_second=10, burst=20))
    >>> buckets.find("ann").full_at = 1.5
    >>> [buckets.find("ann").wait(15, now) for now in (0.0, 0.5, 1.0)]
    [1.0, 0.5, 0.0]
    """

    def __init__(self, holder: Holder, rate: Rate, most: int = MOST_NAMES) -> None:
        self.era = 0
        self._holder: Holder = holder
        self._rate = rate
        self._seconds_each = 1 / rate.per_second
        self._depth = rate.burst * self._seconds_each
        self._most = most // 2
        # Two halves: when the young one is full it becomes the old one, and what nobody used since is forgotten.
        self._young: dict[int, Bucket] = {}
        self._old: dict[int, Bucket] = {}

    def find(self, name: str) -> Bucket:
        """The bucket of this name: a full one if it is not known."""
        place = hash(name)
        return self._young.get(place) or self._renewed(place)

    def _renewed(self, place: int) -> Bucket:
        bucket = self._old.get(place) or self._made()
        self._young[place] = bucket
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
            self.era += 1
        return bucket

    def _made(self) -> Bucket:
        # The same numbers for all of them: two objects less to hold for each name, and to fetch for each batch.
        return Bucket(self._holder, self._rate, self._seconds_each, self._depth)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


class Limits:
    """The buckets of every kind. A kind without a limit keeps none."""

    def __init__(self, rates: dict[Holder, Rate], most: int = MOST_NAMES) -> None:
        self._buckets = {
            holder: Buckets(holder, rate, most) for holder, rate in rates.items() if rate.per_second
        }
        self._calm_from = 0.0
        self.era = 0
        """Another number as soon as `places` that were found before are to be found again."""

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
        kinds = [self._buckets[holder] for holder in names if holder in self._buckets]
        before = sum(kind.era for kind in kinds)
        found = [
            self._buckets[holder].find(name) for holder, name in names.items() if holder in self._buckets
        ]
        self.era += sum(kind.era for kind in kinds) - before
        return tuple(found)

    def is_calm(self, now: float) -> bool:
        """Whether nobody sent too much of late, so that `check` has nothing to look up."""
        return now >= self._calm_from

    def check(self, places: Places, now: float) -> None:
        """Raise TooManyEvents if not even one event has room: for what is known before a batch is read."""
        if now < self._calm_from:
            for bucket in places:
                if wait := bucket.wait(1, now):
                    raise self._too_many(bucket, wait, now)

    def take(self, places: Places, count: int, now: float) -> None:
        """Count events in all of these places, or in none and raise TooManyEvents."""
        for bucket in places:
            full_at = bucket.full_at
            is_full = full_at <= now
            after = (now if is_full else full_at) + count * bucket.seconds_each
            # Nearly all have room to spare, which is seen without a call.
            if after - bucket.depth > now and (wait := bucket.wait(count, now)):
                for taken in places[: places.index(bucket)]:
                    taken.full_at -= count * taken.seconds_each
                raise self._too_many(bucket, wait, now)
            bucket.full_at = after

    def _too_many(self, bucket: Bucket, wait: float, now: float) -> TooManyEvents:
        # As long as nobody sends too much, nothing has to be looked up before a body is read.
        self._calm_from = now + LONGEST_WAIT_SECONDS
        return TooManyEvents(bucket.holder, bucket.rate, wait)


def counted_address(address: str) -> str:
    """Under what an address counts: itself, or of IPv6 its leading 64 bits, of which one visitor has all.

    >>> counted_address("192.0.2.7"), counted_address("2001:db8::1") == counted_address("2001:db8::2")
    ('192.0.2.7', True)
    """
    return neighbourhood(address) if ":" in address else address
