"""A month of history for the demo, sent through the public route `/e` with an import key, as any importer would."""

from __future__ import annotations

import gzip
import http.client
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from expost.ids import uuid7

from .behaviour import Stay, stays_of_month
from .recorded_page import Json, recorded_page

SEED = 20_240_229
USER_AGENT = "Expost demo history"
VISITORS_PER_DAY = 75.0
WORKERS = 6
QUEUED = 64
RETRIES = 20
PLANS = ("none", "none", "small", "regular", "office")

Progress = Callable[[int], None]
"""Is told after every batch how many events have been acknowledged so far."""


class HistoryRefused(RuntimeError):
    """The collector did not take a batch of history."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was acknowledged."""

    batches: int
    events: int
    seconds: float


def batches_of_month(
    *, shop_url: str, until: float, days: int, seed: int = SEED, visitors_per_day: float = VISITORS_PER_DAY
) -> list[Json]:
    """The batches of a month before `until` (milliseconds since 1970), in the order in which they happened.

    The same arguments give the same batches, event ids included: sent twice they are stored once.
    """
    rng = Random(seed)  # noqa: S311  (a repeatable month, not a secret)
    stays = list(stays_of_month(rng, until=until, days=days, visitors_per_day=visitors_per_day))
    return [batch_of_stay(stay, shop_url, rng, until) for stay in sorted(stays, key=lambda stay: stay.end)]


def batch_of_stay(stay: Stay, shop_url: str, rng: Random, until: float) -> Json:
    """The batch that the snippet would have sent from this page load."""
    page = recorded_page(stay.page)
    happened = [(event, 40.0 + place) for place, event in enumerate(page.actions["enter"])]
    for name, moment in stay.done:
        happened += [(event, moment + 2 * place) for place, event in enumerate(page.actions[name])]
    if not stay.is_first_exposure:
        happened = [(event, at) for event, at in happened if event["type"] != "exposure"]
    tables = page.tables_of([event for event, _ in happened])
    plan = rng.choice(PLANS)
    view = 0
    events = []
    for place, (event, (_, at)) in enumerate(zip(tables["events"], happened, strict=True)):
        if event["type"] == "page_view":
            view = event.get("view", 0)
        events.append(_drawn(event, at, place + 1, stay, rng, plan) | {"view": view})
    tables["events"] = events
    first, *others = page.views
    # A variation wished for in the address is the recorder's, not the visitor's.
    entry = {"url": shop_url + first["url"].partition("?")[0], "title": first.get("title", "")}
    entry["referrer"] = (
        stay.referrer if "://" in stay.referrer else stay.referrer and shop_url + stay.referrer
    )
    return {
        "v": 1,
        "sent_at": stay.end + 20,
        "page": {
            "id": uuid7(int(stay.start * 1_000), rng.randbytes(10)),
            "start": stay.start,
            "ordinal": stay.ordinal,
        },
        "device": stay.visitor.device,
        "session": stay.session,
        "consent": "full",
        "release": "shop-42" if until - stay.start < 12 * 86_400_000 else "shop-41",
        "viewport": list(stay.visitor.window),
        "views": [entry, *({**view, "url": shop_url + view["url"]} for view in others)],
        **tables,
    }


def _drawn(event: Json, at: float, seq: int, stay: Stay, rng: Random, plan: str) -> Json:
    drawn = event | {
        "id": uuid7(int((stay.start + at) * 1_000), rng.randbytes(10)),
        "t": round(at, 1),
        "seq": seq,
    }
    if event["type"] == "identify":
        drawn["user"] = stay.visitor.member
        if "traits" in event:
            drawn["traits"] = event["traits"] | {"plan": plan}
    return drawn


def send_history(batches: Iterable[Json], address: str, key: str, progress: Progress) -> Filled:
    """Post every batch, gzip'd, a few at a time; returns when the last one is acknowledged.

    Refusals for now (429, 503) are sent again with the same ids; any other refusal ends it.
    """
    began = time.monotonic()
    waiting: queue.Queue[tuple[bytes, int] | None] = queue.Queue(QUEUED)
    sent = _Count(progress)
    failures: list[BaseException] = []
    workers = [
        threading.Thread(target=_work, args=(waiting, address, key, sent, failures), daemon=True)
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for batch in batches:
        if failures:
            break
        waiting.put((gzip.compress(msgspec.json.encode(batch), 5), len(batch["events"])))
    for _ in workers:
        waiting.put(None)
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return Filled(sent.batches, sent.events, time.monotonic() - began)


class _Count:
    def __init__(self, progress: Progress) -> None:
        self.batches = self.events = 0
        self._progress = progress
        self._lock = threading.Lock()

    def add(self, events: int) -> None:
        with self._lock:
            self.batches += 1
            self.events += events
            self._progress(self.events)


def _work(
    waiting: queue.Queue[tuple[bytes, int] | None],
    address: str,
    key: str,
    sent: _Count,
    failures: list[BaseException],
) -> None:
    """Post what is waiting until told to end. After a failure the rest is only taken off the queue."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "127.0.0.1", place.port, timeout=30)
    for body, events in iter(waiting.get, None):
        if failures:
            continue
        try:
            post_batch(connection, body, key)
        except (HistoryRefused, OSError, http.client.HTTPException) as error:
            failures.append(error)
        else:
            sent.add(events)
    connection.close()


def post_batch(connection: http.client.HTTPConnection, body: bytes, key: str) -> None:
    """Post one gzip'd batch and see every event of it acknowledged."""
    headers = {"Content-Type": "text/plain", "Accept": "application/json", "User-Agent": USER_AGENT}
    for _ in range(RETRIES):
        connection.request("POST", f"/e?k={quote(key)}", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status in (429, 503):
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), 5.0))
            continue
        if answer.status != 200:
            raise HistoryRefused(f"POST /e answered {answer.status}: {text[:300].decode(errors='replace')}")
        verdict: dict[str, Any] = msgspec.json.decode(text)
        if verdict.get("rejected"):
            raise HistoryRefused(f"An event was rejected: {verdict['rejected'][0]}")
        return
    raise HistoryRefused("The collector was busy for too long.")


def count_events(batches: Iterable[Json]) -> int:
    """How many events the batches hold."""
    return sum(len(batch["events"]) for batch in batches)


def events_of(batches: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    """Every event with its batch."""
    for batch in batches:
        for event in batch["events"]:
            yield event, batch
