"""Answers that take long: what a page says meanwhile, and what becomes of a question whose asker is gone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from io import RawIOBase
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from expost import waiting
from expost.asking import CANCELLED
from expost.cli import Commands
from expost.pool import Running
from expost.query_routes import NoQueries
from expost.ui.page import render_alone
from expost.waiting import PatientPages, UntilGone, asked_together
from tests.serving import Serving, make_site

ENDLESS = "select count(*) from range(100000000) a, range(100000000) b"
HTML: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/funnel",
    "query_string": b"step=a",
    "headers": [(b"accept", b"text/html")],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    data = tmp_path_factory.mktemp("waiting") / "data"
    make_site(data)
    with Serving(data) as serving:
        yield serving


def _answer(server: Serving, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def _running(server: Serving) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_answer(server, "GET", "/api/v1/queries")[1])
    return found


def _until(holds: Callable[[], bool]) -> None:
    async def wait() -> None:
        async with asyncio.timeout(30):
            while not holds():  # noqa: ASYNC110 (the other process tells nobody)
                await asyncio.sleep(0.05)

    asyncio.run(wait())


def _ask_and_stay(server: Serving) -> socket.socket:
    """A connection that has asked a question without end, and waits."""
    body = json.dumps({"query": ENDLESS}).encode()
    asking = socket.create_connection(("127.0.0.1", server.port))
    head = f"POST /api/v1/sql HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    asking.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    _until(lambda: any(each["progress"] is not None for each in _running(server)))
    return asking


def test_a_question_whose_client_goes_away_is_stopped(server: Serving) -> None:
    _ask_and_stay(server).close()
    _until(lambda: not _running(server))


def test_a_question_is_listed_with_its_progress_and_cancelled_over_http(server: Serving) -> None:
    asking = _ask_and_stay(server)
    (found,) = _running(server)
    assert (found["question"], found["state"]) == ("SqlQuery", "running")
    assert _answer(server, "DELETE", f"/api/v1/queries/{found['id']}")[0] == 204
    answer = asking.makefile("rb").read(12)
    asking.close()
    assert answer == b"HTTP/1.1 409"
    status, said = _answer(server, "DELETE", "/api/v1/queries/none")
    assert (status, json.loads(said)["error"]["code"]) == (404, "unknown_name")


def test_a_page_that_takes_long_says_how_far_it_is_and_becomes_the_answer(server: Serving) -> None:
    slow = "select count(*) from range(60000) a, range(60000) b where a.range + b.range = 7"
    path, pages = f"/sql?query={slow.replace(' ', '%20').replace('+', '%2B')}", []
    for _ in range(60):
        status, page = _answer(server, "GET", path, Accept="text/html")
        assert status == 200
        pages.append(page)
        if "http-equiv" not in page:
            break
    assert len(pages) > 1
    assert 'http-equiv="refresh"' in pages[0]
    assert re.search(r"\d+ seconds so far", pages[0])
    assert "<td" in pages[-1]
    assert ">8<" in re.sub(r"\s", "", pages[-1])


def test_a_page_of_several_questions_says_in_one_line_how_far_they_are() -> None:
    now = time.monotonic()
    waits = Running("1", "Trend", "shop", "page", now - 9)
    runs = [Running("2", "Funnel", "shop", "page", now - 5, now - seconds) for seconds in (4, 2)]
    together = asked_together([waits, *runs])
    assert together is not None
    assert (together.running, together.waiting, int(together.seconds), together.progress) == (2, 1, 4, None)
    said = bytes(
        render_alone("waiting.html", asked=together, again=1, address="/dashboards/Weekly").body
    ).decode()
    assert re.findall("seconds so far", said) == ["seconds so far"]
    assert "4 seconds so far: 2 questions of this page are being answered, 1 more waits." in said


def _within(work: Awaitable[None]) -> None:
    async def run() -> None:
        async with asyncio.timeout(20):
            await work

    asyncio.run(run())


def test_a_page_that_nobody_comes_back_for_is_made_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "FORGOTTEN_SECONDS", 0.05)
    given_up = asyncio.Event()

    async def never(scope, receive, send) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            given_up.set()

    async def story() -> None:
        sent: list[Any] = []

        async def send(message) -> None:
            sent.append(message)

        await PatientPages(never, NoQueries())(HTML, asyncio.Event().wait, send)  # type: ignore[arg-type]
        assert sent[0]["status"] == 200
        assert not given_up.is_set()
        await given_up.wait()

    _within(story())


def test_what_is_done_for_a_get_is_stopped_when_its_sender_is_gone() -> None:
    given_up = asyncio.Event()

    async def never(scope, receive, send) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            given_up.set()

    async def story() -> None:
        said = iter([{"type": "http.request", "body": b""}, {"type": "http.disconnect"}])

        async def receive():
            return next(said)

        async def send(message) -> None:
            raise AssertionError(message)

        await UntilGone(never)({"type": "http", "method": "GET"}, receive, send)
        assert given_up.is_set()

    _within(story())


def test_ctrl_c_ends_a_command_in_order(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_site(data)
    command = [
        sys.executable,
        "-c",
        "from expost.cli import main; main()",
        "sql",
        ENDLESS,
        "--data",
        str(data),
    ]
    ours, theirs = os.openpty()
    asking = subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, text=True)
    # Its end of the terminal stays open here as well: what it said last would else be lost with it now and then.
    with os.fdopen(ours, "rb", buffering=0) as terminal, os.fdopen(theirs, "wb"):
        _read_until(terminal, "(Ctrl-C ends it)")
        os.kill(asking.pid, signal.SIGINT)
        _read_until(terminal, "Cancelled: nothing was changed.")
    assert asking.communicate(timeout=30)[0] == ""
    assert asking.returncode == 130


def _read_until(terminal: RawIOBase, words: str) -> None:
    """Read what a command says to its terminal, up to these words."""
    said = b""
    # Not `select`, which knows no descriptor beyond 1,023: a worker of the tests may have more files open.
    with selectors.DefaultSelector() as selector:
        selector.register(terminal, selectors.EVENT_READ)
        while words.encode() not in said:
            assert selector.select(timeout=120), f"nothing more was said after {said!r}"
            said += terminal.read(1_000) or b""


def test_ctrl_c_before_or_beside_a_question_has_the_same_status() -> None:
    @click.group(cls=Commands)
    def door() -> None:
        """A door with one command."""

    @door.command()
    def work() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(door, ["work"])
    assert result.exit_code == CANCELLED
    assert result.output.endswith("Cancelled.\n")
