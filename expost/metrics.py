"""What the server counts, in the text format of Prometheus."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from expost.clock import Clock, from_micros, wall_clock
from expost.collector.guard import Door
from expost.collector.tally import Histogram, Tally
from expost.errors import ExpostError
from expost.health import Health, find_backlog, find_health
from expost.lake.journal import Journal
from expost.query.losses import Losses

log = logging.getLogger("expost.metrics")

Call = Callable[..., Awaitable[Any]]

SIZES_SECONDS = 30.0
LOSSES_SECONDS = 600.0
"""The loss meter reads every event that is kept, so that it is asked no more often than this."""
METERED = timedelta(days=7)


class Sink(Protocol):
    """What is known here of the process that fills the lake."""

    @property
    def starts(self) -> int: ...
    @property
    def stored_before(self) -> int: ...
    @property
    def conflicts(self) -> int: ...
    @property
    def timings(self) -> Mapping[str, Histogram]: ...
    @property
    def is_running(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """The parts that count."""

    journal: Journal
    sink: Sink
    tally: Tally
    door: Door
    call: Call
    sites: Callable[[], Sequence[str]]
    not_erased: Callable[[], int]


class Dials:
    """Reads all parts: the `Watch` of a server that runs."""

    def __init__(self, sources: Sources, clock: Clock = wall_clock) -> None:
        self._sources = sources
        self._clock = clock
        self._sizes = _Lately(SIZES_SECONDS, self._ask_sizes)
        self._losses = _Lately(LOSSES_SECONDS, self._ask_losses)

    def health(self) -> Health:
        """How the server is now."""
        sources = self._sources
        return find_health(sources.journal, sources.sink.is_running, not_erased=sources.not_erased())

    def limited(self) -> Mapping[str, int]:
        """Batches that were refused because too much was sent."""
        return dict(self._sources.tally.limited)

    async def metrics(self) -> bytes:
        """All figures."""
        # One after the other: they take their turns with the questions of people.
        sizes, losses = await self._sizes.find(), await self._losses.find()
        families = await asyncio.to_thread(
            lambda: [*_of_parts(self._sources, self.health()), *_of_sizes(sizes), *_of_losses(losses)]
        )
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Gathered(families))
        return generate_latest(registry)

    async def _ask_sizes(self) -> Any:
        return await self._sources.call("sizes")

    async def _ask_losses(self) -> Any:
        start = from_micros(self._clock()) - METERED
        return {
            site: (await self._sources.call("ask", Losses(start=start, site=site))).total
            for site in self._sources.sites()
        }


class _Lately:
    """An answer that is asked for again only when it is old. A failure leaves the figure out, and is logged."""

    def __init__(self, seconds: float, ask: Callable[[], Awaitable[Any]]) -> None:
        self._seconds = seconds
        self._ask = ask
        self._until = 0.0
        self._found: Any = {}

    async def find(self) -> Any:
        if time.monotonic() >= self._until:
            # Noted before it is known: of many who ask at once, one waits for the answer.
            self._until = time.monotonic() + self._seconds
            try:
                self._found = await self._ask()
            except ExpostError as problem:
                log.warning("a figure is missing: %s", problem)
                self._found = {}
        return self._found


class _Gathered(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _of_parts(sources: Sources, health: Health) -> Iterator[Metric]:
    tally, journal, door, sink = sources.tally, sources.journal, sources.door, sources.sink
    yield _gauge("expost_ready", "1 when /health says ready.", health.status == "ready")
    yield _counts("expost_answers", "Answers of /e.", "status", tally.answers)
    yield _count("expost_events_accepted", "Events that were acknowledged.", tally.accepted_events)
    yield _count("expost_events_repeated", "Events that stood twice in one batch.", tally.duplicate_events)
    yield _count(
        "expost_events_conflicting",
        "Those of them that said something else than the first.",
        tally.conflicting_events,
    )
    yield _count("expost_events_stored_before", "Events that were in the lake already.", sink.stored_before)
    yield _count(
        "expost_events_conflicting_with_stored",
        "Those of them that said something else, of the latest half a million events.",
        sink.conflicts,
    )
    yield _counts(
        "expost_events_rejected", "Events and batches that were rejected.", "reason", tally.rejected
    )
    yield _count(
        "expost_rejected_files_dropped",
        "Files of what was rejected that went before their time, because their site may have so many bytes.",
        tally.dropped_files,
    )
    yield _counts(
        "expost_batches_limited", "Batches beyond a limit, answered with 429.", "holder", tally.limited
    )
    yield _histogram(
        "expost_acknowledgement_seconds", "From the head of a batch to its answer.", tally.acknowledged
    )
    yield _count("expost_clock_jumps", "Times that the clock of this machine was set.", tally.clock_jumps)
    yield _count("expost_journal_groups", "Groups of batches that were synced together.", journal.groups)
    yield _count(
        "expost_journal_batches", "Batches that were synced; by groups, the size of a group.", journal.frames
    )
    yield _count("expost_journal_failures", "Groups that the disk did not take.", journal.failures)
    yield _gauge("expost_journal_waiting_bytes", "What waits in memory for the disk.", journal.queue.bytes)
    backlog = find_backlog(journal.directory, time.time())
    yield _gauge("expost_backlog_segments", "Segments that wait for the lake.", backlog.segments)
    yield _gauge("expost_backlog_bytes", "Their size.", backlog.bytes)
    yield _gauge("expost_backlog_age_seconds", "The age of the oldest.", backlog.age_seconds)
    yield _gauge("expost_connections", "Connections that are open.", door.count)
    yield _count("expost_connections_refused", "Connections beyond the limits.", door.turned_away)
    yield _count("expost_sink_starts", "Starts of the process that fills the lake.", sink.starts)
    for name, timing in sink.timings.items():
        yield _histogram(f"expost_{name}_seconds", f"How long each {name} of the lake took.", timing)


def _of_sizes(sizes: Mapping[str, tuple[int, int]]) -> Iterator[Metric]:
    files = GaugeMetricFamily("expost_lake_files", "Live files of a table.", labels=["table"])
    rows = GaugeMetricFamily("expost_lake_rows", "Rows of a table.", labels=["table"])
    for table, (file_count, row_count) in sizes.items():
        files.add_metric([table], file_count)
        rows.add_metric([table], row_count)
    return iter((files, rows))


def _of_losses(losses: Mapping[str, Any]) -> Iterator[Metric]:
    numbered = GaugeMetricFamily(
        "expost_numbered_events", "Events that pages numbered in the last 7 days.", labels=["site"]
    )
    missing = GaugeMetricFamily("expost_missing_events", "Those of them that are not here.", labels=["site"])
    for site, total in losses.items():
        numbered.add_metric([site], total.expected)
        missing.add_metric([site], total.missing)
    return iter((numbered, missing))


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _count(name: str, meaning: str, value: int) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)


def _counts(name: str, meaning: str, label: str, counted: Mapping[Any, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=[label])
    for value, count in sorted(counted.items()):
        family.add_metric([str(value)], count)
    return family


def _histogram(name: str, meaning: str, histogram: Histogram) -> Metric:
    bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, map(float, histogram.cumulative()), strict=True))
    return HistogramMetricFamily(name, meaning, buckets=buckets, sum_value=histogram.sum)
