"""Bad input below what a collector alone can see: bytes on a socket of a real server, one line a case."""

# ruff: noqa: E501 (one line a case)

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from expost.collector import guard

from .conftest import Desk, batch, body_of, click
from .test_guard import running, talk

LARGE = 2_000_000
BODY = body_of(batch())


@dataclass(frozen=True)
class Case:
    """`lines` and `body` make a request, or `raw` is one; `status` 0 means that nothing is answered."""

    row: int
    what: str
    status: int
    lines: Sequence[str] = ()
    body: Sequence[bytes] = ()
    raw: bytes = b""
    method: str = "POST"
    kept: int = 0
    pause: float = 0.0
    says: bytes = b""
    check: Callable[[bytes], object] = field(default=lambda _: True)

    def pieces(self, desk: Desk) -> list[bytes]:
        """What is sent, one after the other."""
        if self.raw:
            return [self.raw]
        start = f"{self.method} /e?k={desk.keys['shop', 'write']} HTTP/1.1"
        return ["\r\n".join([start, "host: x", *self.lines]).encode() + b"\r\n\r\n", *self.body]


def with_length(body: bytes) -> str:
    return f"content-length: {len(body)}"


CHUNKED = "transfer-encoding: chunked"
BOMB = gzip.compress(b" " * 50_000_000)
CASES = [
    Case(12, "2 MB with a length", 413, [f"content-length: {LARGE}"], [b" " * LARGE], says=b"batch_too_large"),
    Case(12, "chunks without end", 413, [CHUNKED], [b"10000\r\n" + b" " * 65_536 + b"\r\n"] * 40, says=b"batch_too_large"),
    Case(13, "a gzip bomb of 50 MB", 413, [with_length(BOMB)], [BOMB], says=b"unpacks"),
    Case(14, "gzip that ends too early", 400, [with_length(gzip.compress(BODY)[:-9])], [gzip.compress(BODY)[:-9]]),
    Case(15, "gzip without a header", 204, [with_length(gzip.compress(BODY))], [gzip.compress(BODY)], kept=1),
    Case(16, "a body of brotli", 415, ["content-encoding: br", with_length(BODY)], [BODY]),
    Case(17, "no content type", 204, [with_length(BODY)], [BODY], kept=1),
    Case(18, "a head of single bytes", 408, ["a: b"], [b"x"] * 30, pause=0.05, raw=b""),
    Case(18, "a body of single bytes", 408, [with_length(BODY)], [b"{"] * 30, pause=0.05),
    Case(19, "800 kB of headers", 431, raw=b"POST /e HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 133_000),
    Case(19, "an address of 200 kB", 414, raw=b"POST /e?k=" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"),
    Case(20, "two lengths", 400, [CHUNKED, "content-length: 5"], [b"{}"]),
    Case(20, "a bad size of a chunk", 400, [CHUNKED], [b"zz\r\n{}\r\n"]),
    Case(20, "no host", 400, raw=b"POST /e HTTP/1.1\r\ncontent-length: 0\r\n\r\n"),
    Case(20, "a TLS hello", 400, raw=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200),
    Case(42, "OPTIONS", 204, method="OPTIONS", check=lambda answer: b"access-control-max-age: 86400" in answer),
    Case(42, "GET", 405, method="GET", check=lambda answer: b"allow: POST, OPTIONS" in answer),
    Case(42, "PUT", 405, [with_length(BODY)], [BODY], method="PUT"),
    Case(42, "HEAD", 405, method="HEAD"),
]  # fmt: skip


@pytest.fixture(scope="module")
def port(shared_desk: Desk) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, seconds in {"HEAD_SECONDS": 0.4, "BODY_SECONDS": 0.4, "LINGER_SECONDS": 0.4}.items():
            monkeypatch.setattr(guard, name, seconds)
        monkeypatch.setattr(guard, "LOOK_EVERY_SECONDS", 0.1)
        with running(shared_desk) as port:
            yield port


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}-{case.what}")
def test_each_input_gets_its_answer_from_a_real_server(shared_desk: Desk, port: int, case: Case) -> None:
    shared_desk.kept()
    pieces = case.pieces(shared_desk)
    if case.what == "a head of single bytes":
        pieces[0] = pieces[0].removesuffix(b"\r\n\r\n")
    # The guard answers with a line of text, the collector with JSON and no line end, and to some with a head alone.
    end = b"\n" if case.raw or case.status in (400, 408) else b"\r\n\r\n" if case.says == b"" else b"}}"
    status, answer, _ = talk(port, *pieces, pause=case.pause, until=end)
    assert status == case.status, answer[:300]
    assert case.says in answer
    assert case.check(answer)
    assert len(shared_desk.kept()) == case.kept


def test_half_a_body_and_gone_keeps_nothing_and_says_nothing(
    shared_desk: Desk, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    import socket

    shared_desk.kept()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"".join(Case(21, "", 0, [with_length(BODY)], [BODY[:9]]).pieces(shared_desk)))
    with running(shared_desk):
        pass
    assert (shared_desk.kept(), caplog.records) == ([], [])


def test_a_forged_hop_makes_no_other_visitor(shared_desk: Desk, port: int) -> None:
    shared_desk.kept()
    body = body_of(batch(consent="cookieless"))
    for hop in ("192.0.2.1", "192.0.2.2", "garbage", "192.0.2.3, 127.0.0.1"):
        case = Case(40, "a forged hop", 204, [f"x-forwarded-for: {hop}", with_length(body)], [body])
        assert talk(port, *case.pieces(shared_desk), until=b"\r\n\r\n")[0] == 204
    assert len({each.device for each in shared_desk.kept()}) == 1


def test_a_flood_is_answered_with_429_and_a_time_to_come_back(desk: Desk) -> None:
    desk.limit(device=(1, 20), address=(0, 0), key=(0, 0))
    body = body_of(batch(*(click(number) for number in range(10))))
    case = Case(43, "a flood", 204, [with_length(body)], [body])
    with running(desk) as port:
        answers = [talk(port, *case.pieces(desk), until=b"\r\n\r\n") for _ in range(4)]
    assert [status for status, _, _ in answers] == [204, 204, 429, 429]
    assert b"retry-after: " in answers[-1][1]
    assert desk.collector.tally.limited == {"device": 2}
