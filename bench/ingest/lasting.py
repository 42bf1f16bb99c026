"""The long runs: more than a slow disk takes, and what two cores sustain."""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from bounds import must
from disks import quietness
from servers import ALL_CORES, Server, empty, paced_result, round_of, serving, serving_all
from shop import EVENTS, batch
from stored import drained, stored_events

import expost
from expost.lake.table import Table

LARGE_EVENTS = 1_000
LARGE_VISITORS = 50
FLOOD_CONNECTIONS = 1_000
BATCHES_A_SECOND = 1_000
DASHBOARDS = 2
REFRESH_SECONDS = 5.0
LOG_CHARACTERS = 4_000
"""How much of the server's log is shown where an answer failed."""


def overload(seconds: int, place: Path) -> None:
    """More than a slow disk takes: memory stays bounded, connections stay, and all that is acknowledged is kept.

    A good sender at a leisurely rate is among them: it hears 204 or when to come back, and nothing else.
    """
    bodies = [batch(random.Random(number), LARGE_EVENTS) for number in range(LARGE_VISITORS)]
    with serving("overloaded", place) as server:
        server.prepare(bodies)
        good = server.pacing(20, max(1, seconds - 2), connections=8)
        senders = server.sending(FLOOD_CONNECTIONS, seconds, looks_at_answers=True)
        kept = _kept_until(server, lambda: senders.poll() is not None)
        assert senders.stdout is not None
        found = round_of(senders.stdout.read(), 0)
        heard = paced_result(good)
        acknowledged = found.posts - found.refused + heard["acknowledged"]
        until = time.monotonic() + 15
        kept += _kept_until(server, lambda: time.monotonic() > until or kept >= acknowledged)
        kept += empty(server.folder)
        print(
            f"overload for {seconds} s by {FLOOD_CONNECTIONS:,} connections, {LARGE_EVENTS:,} events a batch, "
            f"200 ms a sync: {found.posts - found.refused:,} batches acknowledged, {found.refused:,} asked to come "
            f"back; answers after p50 {found.p50:.0f}, p99 {found.p99:.0f}, at most {found.longest:.0f} ms"
        )
        print(
            f"broken connections: {found.broken_in_words}; a sender of 20 batches a second among them: "
            f"{heard['acknowledged']} acknowledged (p99 {heard['p99']:.0f} ms), {heard['refused']} asked to come back"
        )
        must(
            "connections broken under overload", found.broken + heard["closed"] + heard["timeout"], at_most=0
        )
        must(
            "refusals that do not say when to come back",
            found.unsaid + heard["unsaid"] + heard["other"],
            at_most=0,
        )
        must("acknowledged batches lost under overload", max(0, acknowledged - kept), at_most=0)
        must("memory of the collector under overload, MB", server.peak_bytes() / 1e6, at_most=256)


def _kept_until(server: Server, is_over: Callable[[], bool]) -> int:
    kept = 0
    while not is_over():
        time.sleep(0.2)
        kept += empty(server.folder)
    return kept


def sustain(seconds: int, place: Path) -> None:
    """Two cores for all of it, the senders included: 1,000 batches a second, and two dashboards that refresh."""
    print(quietness(place), flush=True)
    with serving_all(place, ALL_CORES) as server:
        assert server.folder is not None
        analysis = _dashboard(server.folder)
        before = server.paced(BATCHES_A_SECOND / 2, 3, ALL_CORES)["acknowledged"]
        commits, cpu = _commits(server.folder), server.cpu()
        stop, asked, failed = threading.Event(), list[float](), list[str]()
        readers = [
            threading.Thread(target=_refresh, args=(server.port, analysis, stop, asked, failed))
            for _ in range(DASHBOARDS)
        ]
        for reader in readers:
            reader.start()
        senders = server.pacing(BATCHES_A_SECOND, seconds, ALL_CORES, seed=2)
        found = paced_result(senders)
        commits, cpu = _commits(server.folder) - commits, server.cpu() - cpu
        stop.set()
        for reader in readers:
            reader.join()
        waited = drained(server.folder)
        share = commits / found["seconds"] * _commit_cpu(place)
        times = sorted(asked) or [0.0]
        print(
            f"sustained for {seconds} s: {found['acknowledged'] / found['seconds']:,.0f} durable batches of 10 events "
            f"a second, p50 {found['p50']:.1f}, p99 {found['p99']:.1f}, at most {found['max']:.0f} ms; "
            f"{found['refused']} refused, {found['closed'] + found['timeout'] + found['connect']} broken; "
            f"{cpu / found['seconds'] * 100:.0f} % of a core for the server; {len(asked)} answers of "
            f"{DASHBOARDS} dashboards, median {times[len(times) // 2]:.2f} s; all in the lake {waited:.1f} s later"
        )
        if failed:
            print(f"the first answer that failed: {failed[0]}")
            print((place / "served.log").read_text()[-LOG_CHARACTERS:])
        must("answers of dashboards that failed", len(failed), at_most=0)
        must(
            "durable batches a second",
            found["acknowledged"] / found["seconds"],
            at_least=BATCHES_A_SECOND * 0.99,
        )
        must("their p99, ms", found["p99"], at_most=50)
        must(
            "commits of a core, %", share * 100, at_most=2, note=f"{commits / found['seconds']:.2f} a second"
        )
        must("memory of the collector, MB", server.peak_bytes() / 1e6, at_most=256)
        events, distinct = stored_events(server.folder)
        acknowledged = (before + found["acknowledged"]) * EVENTS
        must("events in the lake twice", events - distinct, at_most=0)
        must(f"of {acknowledged:,} acknowledged events lost", max(0, acknowledged - distinct), at_most=0)


def _dashboard(folder: Path) -> str:
    lake = expost.open(folder)
    lake.define("Looked at a tea", click="a.card")
    lake.define("Read a title", click=".card__title")
    lake.save_report("Teas", lake.trend("Looked at a tea"))
    lake.save_report("Titles", lake.funnel("Looked at a tea", "Read a title", within="1 hour"))
    lake.save_dashboard("Shop", ["Teas", "Titles"])
    return "/api/v1/dashboards/Shop/answer?last=1d"


def _refresh(port: int, path: str, stop: threading.Event, asked: list[float], failed: list[str]) -> None:
    while not stop.is_set():
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as answer:
                json.load(answer)
            asked.append(time.monotonic() - began)
        except urllib.error.HTTPError as problem:
            failed.append(f"{problem.code} {problem.read(500).decode(errors='replace')}")
        stop.wait(REFRESH_SECONDS)


def _commits(folder: Path) -> int:
    """The versions of all tables so far: each is one commit."""
    newest = [
        max((int(path.stem) for path in log.glob("*.json") if path.stem.isdigit()), default=0)
        for log in (folder / "lake").glob("*/_delta_log")
    ]
    return sum(newest)


def _commit_cpu(place: Path) -> float:
    """Seconds of CPU of one commit of 500 rows, this process's own."""
    schema = pa.schema([("number", pa.int64()), ("text", pa.string())])
    rows = pa.table({"number": range(500), "text": [f"text {number}" for number in range(500)]}, schema)
    table = Table(place / "commits", schema)
    table.append(rows, "bench", 0)
    began = time.process_time()
    for number in range(1, 51):
        table.append(rows, "bench", number)
    return (time.process_time() - began) / 50
