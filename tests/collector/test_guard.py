"""What is wrong on the wire below HTTP's surface, against a real server on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import uvicorn
import uvloop

from expost.collector import guard
from expost.collector.answers import ACKNOWLEDGED_HEAD
from expost.collector.body import MAX_BODY_BYTES
from expost.collector.guard import Door, guarded
from expost.collector.peer import networks
from expost.collector.service import CAPTURE_PATH
from expost.collector.whole import Take, WholeRequest, whole_first

from .conftest import Desk, batch, body_of


@pytest.fixture(scope="module", params=[True, False], ids=["whole", "ordinary"])
def port(shared_desk: Desk, request: pytest.FixtureRequest) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(guard, "HEAD_SECONDS", 0.6)
        monkeypatch.setattr(guard, "BODY_SECONDS", 0.6)
        monkeypatch.setattr(guard, "LINGER_SECONDS", 0.6)
        monkeypatch.setattr(guard, "LOOK_EVERY_SECONDS", 0.1)
        shared_desk.kept()
        with running(shared_desk, is_whole=request.param) as port:
            yield port


@contextlib.contextmanager
def running(
    desk: Desk, door: Door | None = None, *, is_whole: bool = True, take: Take | None = None
) -> Iterator[int]:
    """The port of a server in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    door = door or Door(10_000, 10_000)
    take = take or desk.collector.capture.take
    protocol = whole_first(door, CAPTURE_PATH, take) if is_whole else guarded(door)
    config = uvicorn.Config(
        desk.collector, http=protocol, loop="uvloop", lifespan="off",
        log_config=None, ws="none", proxy_headers=False, access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    # Uvloop, as in `expost serve`: it runs its timers at another point of a turn than asyncio's own loop.
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    thread = threading.Thread(target=lambda: runner.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        runner.close()


def head(desk: Desk, *lines: str, method: str = "POST") -> bytes:
    start = f"{method} /e?k={desk.keys['shop', 'write']} HTTP/1.1"
    return "\r\n".join([start, "host: x", *lines]).encode() + b"\r\n"


def talk(
    port: int, *pieces: bytes, pause: float = 0.0, until: bytes | None = None
) -> tuple[int, bytes, float]:
    """Send pieces until they are through or the server closes; status (0: none), answer, seconds until the end.

    The answer ends with the connection or a line, or is over once it holds `until`.
    """
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        answer = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
                if pause:
                    time.sleep(pause)
                    connection.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        if answer := connection.recv(65_536):
                            break
                    connection.settimeout(15)
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.settimeout(15)
        while not (answer.endswith(b"\n") if until is None else until in answer):
            more = connection.recv(65_536)
            if not more:
                break
            answer += more
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
        return status, answer, time.monotonic() - began


def test_a_good_sender_is_served_and_keeps_its_connection(shared_desk: Desk, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(3):
        connection.request("POST", f"/e?k={shared_desk.keys['shop', 'write']}", body_of(batch()))
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.will_close) == (204, b"", False)
        assert answer.getheader("access-control-allow-origin") == "*"
        assert answer.getheader("date")
    assert len(shared_desk.kept()) == 3


def test_one_who_asks_for_it_is_told_that_the_connection_ends(shared_desk: Desk, port: int) -> None:
    body = body_of(batch())
    asked = head(shared_desk, f"content-length: {len(body)}", "connection: close") + b"\r\n" + body
    status, answer, _ = talk(port, asked, until=b"\r\n\r\n")
    assert (status, b"connection: close" in answer) == (204, True)
    assert len(shared_desk.kept()) == 1


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200, 400),
        (b"POST /e HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST /e HTTP/1.1\r\ncontent-length: 0\r\n\r\n", 400),
        (b"POST /e HTTP/1.1\r\nhost: x\r\nhost: y\r\ncontent-length: 0\r\n\r\n", 400),
        (b"POST /e HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
        (b"GET /e HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 130_000 + b"\r\n", 431),
        (b"GET /e HTTP/1.1\r\nhost: x\r\nbig: " + b"a" * 800_000 + b"\r\n\r\n", 431),
        (b"GET /e HTTP/1.1\r\nhost: x\r\nbig: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /e HTTP/1.1\r\nhost: x\r\nbig: " + b"a" * 9_000_000, 431),
    ],
    ids=[
        "TLS",
        "two lengths",
        "no host",
        "two hosts",
        "bad length",
        "URL",
        "headers",
        "header",
        "one too long",
        "endless",
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    port: int, what: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        found, answer, _ = talk(port, what)  # until the server closes
    assert found == status, answer[:200]
    assert b"connection: close" in answer
    assert not caplog.records


def test_a_bad_chunk_is_refused(shared_desk: Desk, port: int) -> None:
    begin = head(shared_desk, "transfer-encoding: chunked") + b"\r\n"
    assert talk(port, begin + b"5\r\nhello\r\nzz\r\n")[0] == 400


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_a_body_that_is_too_large_is_seen_as_413_and_not_as_a_reset(
    shared_desk: Desk, port: int, is_chunked: bool
) -> None:
    size = MAX_BODY_BYTES * 3
    if is_chunked:
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        pieces = [head(shared_desk, "transfer-encoding: chunked") + b"\r\n", *[chunk] * 40, b"0\r\n\r\n"]
    else:
        pieces = [head(shared_desk, f"content-length: {size}") + b"\r\n", b" " * size]
    connection = socket.create_connection(("127.0.0.1", port), timeout=15)
    for piece in pieces:
        connection.sendall(piece)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 413")
    connection.sendall(head(shared_desk, "content-length: 2", "connection: close") + b"\r\n{}")
    rest = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert b"HTTP/1.1 400" in rest
    connection.close()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_who_ends_the_connection_behind_a_body_that_is_too_large_sees_413_and_then_the_end(
    shared_desk: Desk, port: int, version: str
) -> None:
    """So ask Python's urllib and nginx, which takes a reset for a failure of the server: 502, to be tried again."""
    size = 12_000_000
    begin = head(shared_desk, f"content-length: {size}", "connection: close") + b"\r\n"
    connection = socket.create_connection(("127.0.0.1", port), timeout=15)
    connection.sendall(begin.replace(b"HTTP/1.1", version.encode()))
    # More than lies between the two ends of a connection: what is not read would end it with a reset.
    connection.sendall(b" " * size)
    answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
    connection.close()


@pytest.mark.parametrize("phase", ["nothing", "head", "body", "between"])
def test_a_slow_loris_is_shown_out_and_good_senders_do_not_notice(
    shared_desk: Desk, port: int, phase: str
) -> None:
    body = body_of(batch())
    drip = [b"x"] * 40
    pieces = {
        "nothing": [],
        "head": [head(shared_desk) + b"a: ", *drip],
        "body": [head(shared_desk, f"content-length: {len(body)}") + b"\r\n", *[body[:1]] * 40],
        "between": [head(shared_desk, f"content-length: {len(body)}") + b"\r\n" + body, *[b"\r\n"] * 80],
    }[phase]
    found: list[tuple[int, bytes, float]] = []
    loris = threading.Thread(target=lambda: found.append(talk(port, *pieces, pause=0.1)))
    loris.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    answered = 0
    while loris.is_alive():
        connection.request("POST", f"/e?k={shared_desk.keys['shop', 'write']}", body)
        assert connection.getresponse().read() == b""
        answered += loris.is_alive()
        loris.join(0.02)
    # The loris has sent for longer than it may, and others were answered meanwhile.
    assert found[0][0] == {"nothing": 0, "head": 408, "body": 408, "between": 204}[phase]
    assert answered > 0


def test_what_arrives_while_the_server_is_busy_for_longer_than_senders_may_be_is_read_and_answered(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(guard, "LOOK_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(guard, "LOOK_AGAIN_SECONDS", 0.05)
    body = body_of(batch())
    request = head(shared_desk, f"content-length: {len(body)}") + b"\r\n" + body
    is_busy, has_sent = threading.Event(), threading.Event()

    def take(offered: WholeRequest) -> bool:
        if not is_busy.is_set():
            is_busy.set()
            assert has_sent.wait(10)
            # As many batches of a flood take it, all in one turn of the loop.
            time.sleep(0.3)
        return shared_desk.collector.capture.take(offered)

    door = Door(10, 10)
    with running(shared_desk, door, take=take) as port:
        patient = socket.create_connection(("127.0.0.1", port), timeout=10)
        busy = socket.create_connection(("127.0.0.1", port), timeout=10)
        busy.sendall(request)
        assert is_busy.wait(10)
        patient.sendall(request)
        has_sent.set()
        assert [each.recv(65_536)[:12] for each in (busy, patient)] == [b"HTTP/1.1 204"] * 2
        for each in busy, patient:
            each.close()
    shared_desk.kept()


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "ordinary"])
def test_half_a_body_then_gone_keeps_nothing(
    shared_desk: Desk, is_whole: bool, caplog: pytest.LogCaptureFixture
) -> None:
    shared_desk.kept()
    door = Door(100, 100)
    with running(shared_desk, door, is_whole=is_whole) as port:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(head(shared_desk, "content-length: 500") + b"\r\n" + b'{"v":1')
        # Connections are let in in their order, so when this one is answered the others had come.
        body = body_of(batch())
        whole = head(shared_desk, f"content-length: {len(body)}", "connection: close") + b"\r\n" + body
        assert talk(port, whole)[0] == 204
        wait_until(lambda: door.count == 0)
    assert (len(shared_desk.kept()), caplog.records) == (1, [])


def test_a_sender_on_a_slow_line_is_given_the_time_it_needs(shared_desk: Desk, port: int) -> None:
    body = body_of(batch()) + b" " * 12_000
    pieces = [body[at : at + 1_000] for at in range(0, len(body), 1_000)]
    begin = head(shared_desk, f"content-length: {len(body)}") + b"\r\n"
    status, _, seconds = talk(port, begin, *pieces, pause=0.1)
    assert status == 204
    assert seconds > 0.9


def test_beyond_the_connections_there_may_be_new_ones_get_503_and_old_ones_are_served(
    shared_desk: Desk,
) -> None:
    door = Door(most=5, most_per_address=100)
    with running(shared_desk, door) as port:
        held = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(5)]
        for each in held:
            assert status_over(shared_desk, each) == 204
        status, answer, _ = talk(port)
        assert (status, b"retry-after: 5" in answer) == (503, True)
        assert [status_over(shared_desk, each) for each in held] == [204] * 5
        assert (door.count, door.turned_away) == (5, 1)
        for each in held:
            each.close()
        wait_until(lambda: door.count == 0)
        assert status_over(shared_desk, http.client.HTTPConnection("127.0.0.1", port, timeout=10)) == 204
    shared_desk.kept()


def test_connections_whose_batches_wait_for_the_disk_are_busy_however_long_it_takes(
    shared_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "LOOK_EVERY_SECONDS", 0.05)
    waiting: list[WholeRequest] = []

    def take(request: WholeRequest) -> bool:
        waiting.append(request)
        return True

    body = body_of(batch())
    request = head(shared_desk, f"content-length: {len(body)}") + b"\r\n" + body
    door = Door(most=10, most_per_address=10)
    with running(shared_desk, door, take=take) as port:
        senders = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3)]
        try:
            for each in senders:
                each.sendall(request)
            wait_until(lambda: len(waiting) == 3)
            # Those that say nothing came later: as soon as they are known as idle, the others were looked at as often.
            for count in 4, 5:
                senders.append(socket.create_connection(("127.0.0.1", port), timeout=10))
                wait_until(partial(has_in_all_and_busy, door, count, 3))
        finally:
            for taken in waiting:
                taken.loop.call_soon_threadsafe(taken.answer, ACKNOWLEDGED_HEAD)
        wait_until(partial(has_in_all_and_busy, door, 5, 0))
        for each in senders:
            each.close()


def has_in_all_and_busy(door: Door, count: int, busy: int) -> bool:
    return (door.count, door.busy) == (count, busy)


@pytest.mark.parametrize("is_whole", [True, False], ids=["whole", "ordinary"])
def test_connections_that_are_only_kept_open_are_not_busy(
    shared_desk: Desk, is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "LOOK_EVERY_SECONDS", 0.2)
    door = Door(most=5, most_per_address=5)
    with running(shared_desk, door, is_whole=is_whole) as port:
        held = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(4)]
        for each in held:
            assert status_over(shared_desk, each) == 204
        assert door.busy == 4

        def are_busy_while_they_send(count: int) -> bool:
            return (
                [status_over(shared_desk, each) for each in held[:count]]
                == [204] * count
                == [204] * door.busy
            )

        for count in (1, 3, 2):
            wait_until(partial(are_busy_while_they_send, count))
        assert door.count == 4
        held[0].close()
        wait_until(lambda: door.count == 3 and door.busy == 0)
        held[3].close()
        wait_until(lambda: door.count == 2)
        assert door.busy == 0
    shared_desk.kept()


def test_one_address_may_not_have_all_the_connections_unless_it_is_a_trusted_proxy(shared_desk: Desk) -> None:
    with running(shared_desk, Door(most=100, most_per_address=2)) as port:
        held = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(2)]
        assert [status_over(shared_desk, each) for each in held] == [204, 204]
        assert talk(port)[0] == 503
    proxy = Door(most=100, most_per_address=2, trusted=networks(["127.0.0.0/8"]))
    with running(shared_desk, proxy) as port:
        held = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(4)]
        assert [status_over(shared_desk, each) for each in held] == [204] * 4
    shared_desk.kept()


def status_over(desk: Desk, connection: http.client.HTTPConnection) -> int:
    connection.request("POST", f"/e?k={desk.keys['shop', 'write']}", body_of(batch()))
    answer = connection.getresponse()
    answer.read()
    return answer.status


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)
