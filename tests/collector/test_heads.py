"""Heads that came before are not parsed again: nothing that is sent gets another answer for it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from expost.collector.heads import Heads, find_parts
from expost.collector.whole import WholeProtocol
from expost.state.keys import add_key, revoke_key

from .conftest import Desk, batch, body_of, click
from .test_guard import head, running, wait_until


@pytest.fixture(scope="module")
def port(shared_desk: Desk) -> Iterator[int]:
    with running(shared_desk) as port:
        yield port


def request(desk: Desk, body: bytes, *lines: str, length: str = "Content-Length") -> bytes:
    return head(desk, *lines, f"{length}: {len(body)}") + b"\r\n" + body


class Line:
    """A connection on which answers come one after the other."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._rest = b""

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._socket.sendall(piece)

    def status(self) -> int:
        while b"\r\n\r\n" not in self._rest:
            more = self._socket.recv(65_536)
            assert more, "the connection ended"
            self._rest += more
        answer, _, self._rest = self._rest.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in answer.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", 0))
        while len(self._rest) < length:
            self._rest += self._socket.recv(65_536)
        self._rest = self._rest[length:]
        return int(answer[9:12])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def line(port: int) -> Iterator[Line]:
    line = Line(port)
    yield line
    line.close()


def ask(line: Line, *requests: bytes) -> list[int]:
    found = []
    for each in requests:
        line.send(each)
        found.append(line.status())
    return found


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The addresses of all requests that were parsed."""
    found: list[bytes] = []
    on_url = WholeProtocol.on_url

    def noting(self: WholeProtocol, url: bytes) -> None:
        found.append(url)
        on_url(self, url)

    monkeypatch.setattr(WholeProtocol, "on_url", noting)
    return found


def test_the_second_of_a_sender_is_taken_without_parsing_whatever_its_length(
    shared_desk: Desk, parsed: list[bytes], line: Line
) -> None:
    batches = [batch(*(click(number) for number in range(count))) for count in (1, 2, 30)]
    bodies = [body_of(each) for each in batches]
    assert ask(line, *(request(shared_desk, body, "user-agent: a") for body in bodies)) == [204] * 3
    assert len(parsed) == 1
    kept = shared_desk.kept()
    assert [len(each.events) for each in kept] == [1, 2, 30]
    assert {each.user_agent for each in kept} == {"a"}


def test_another_head_is_another_sender(shared_desk: Desk, parsed: list[bytes], line: Line) -> None:
    body = body_of(batch())
    agents = ["user-agent: a", "user-agent: b", "user-agent: b", "user-agent: a"]
    assert ask(line, *(request(shared_desk, body, each, "x: other") for each in agents)) == [204] * 4
    assert [each.user_agent for each in shared_desk.kept()] == ["a", "b", "b", "a"]
    assert len(parsed) == 2


def test_a_revoked_key_is_refused_though_its_head_is_known(shared_desk: Desk, line: Line) -> None:
    text = add_key(shared_desk.state, "shop", "write", lambda: 1)[1]
    body = body_of(batch())
    one = f"POST /e?k={text} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    wait_until(lambda: ask(line, one) == [204])
    assert ask(line, one) == [204]
    revoke_key(shared_desk.state, text, lambda: 5)
    wait_until(lambda: ask(line, one) == [401])
    assert ask(line, one) == [401]
    shared_desk.kept()


def test_of_a_bad_event_behind_a_known_head_there_is_a_verdict_and_of_a_bad_body_an_answer(
    shared_desk: Desk, line: Line
) -> None:
    good, bad = body_of(batch()), body_of(batch(click(1), click(2, t="soon")))
    before = len(shared_desk.rejected())
    sent = [request(shared_desk, each, "x: bad") for each in (good, good, bad, b"{", good, b"", good)]
    assert ask(line, *sent) == [204, 204, 204, 400, 204, 400, 204]
    assert [len(each.events) for each in shared_desk.kept()] == [1] * 5
    assert len(shared_desk.rejected()) == before + 3


def test_who_asks_for_a_verdict_gets_one_every_time(shared_desk: Desk, line: Line) -> None:
    one = request(shared_desk, body_of(batch()), "accept: application/json")
    assert ask(line, one, one) == [200, 200]
    shared_desk.kept()


def test_secret_keys_are_looked_up_every_time(shared_desk: Desk, parsed: list[bytes], line: Line) -> None:
    body = json.dumps({"v": 1, "events": [{"id": click()["id"], "type": "custom", "name": "x", "time": 1}]})
    one = (
        f"POST /e HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {shared_desk.keys['shop', 'import']}\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()
    assert ask(line, one, one) == [204, 204]
    assert len(parsed) == 2
    shared_desk.kept()


CUTS = st.lists(st.integers(1, 2_000), max_size=6)


@example(cuts=[])
@given(cuts=CUTS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_however_the_bytes_are_cut_the_answers_are_the_same(
    shared_desk: Desk, port: int, cuts: Sequence[int]
) -> None:
    good, bad = body_of(batch()), body_of(batch(click(1, type="")))
    wanted = [(good, 204), (good, 204), (b"[", 400), (bad, 204), (good, 204)]
    data = b"".join(request(shared_desk, body, "x: cut") for body, _ in wanted)
    places = sorted({min(cut, len(data)) for cut in cuts})
    line = Line(port)
    line.send(*(data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)))
    assert [line.status() for _ in wanted] == [status for _, status in wanted]
    line.close()
    assert len(shared_desk.kept()) == 3


HEAD = b"POST /e?k=x HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"POST", HEAD, HEAD + b"\r\n", HEAD + b"content-length: 2\r\n\r\n{",
        HEAD + b"content-length: 2\r\n\r\n{}{", HEAD + b"content-length: +2\r\n\r\n{}",
        HEAD + b"content-length: 0_2\r\n\r\n{}", HEAD + b"content-length:  2\r\n\r\n{}",
        HEAD + b"content-length: 2\n\n{}", HEAD + b"content-length: 00000002\r\n\r\n{}",
        HEAD + b"x: " + b"a" * 4_000 + b"\r\ncontent-length: 2\r\n\r\n{}",
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_not_one_whole_request_of_a_plain_length_is_left_to_the_parser(data: bytes) -> None:
    assert find_parts(data, 0) is None


def test_a_length_in_the_body_is_none() -> None:
    inner = b"\r\ncontent-length: 2\r\n\r\n{}"
    data = HEAD + b"Content-Length: %d\r\n\r\n" % len(inner) + inner
    plain = HEAD + b"Content-Length: 2\r\n\r\n{}"
    found, known = find_parts(data, 0), find_parts(plain, 0)
    assert known is not None
    assert found is None or found[0] != known[0]


def test_the_same_head_from_another_address_is_another() -> None:
    data = HEAD + b"Content-Length: 2\r\n\r\n{}"
    found = [find_parts(data, peer) for peer in (1, 1, 2)]
    assert len({each[0] for each in found if each is not None}) == 2


def test_heads_that_are_remembered_are_bounded() -> None:
    heads = Heads(most=10)
    for number in range(100):
        heads.remember(number, number)
    assert [number for number in range(100) if heads.find(number) is not None] == list(range(90, 100))
