"""Until logins exist, pages and the API answer this machine only."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from expost.loopback import LoopbackOnly, find_refusal

HOST = (b"host", b"localhost:8000")


@pytest.mark.parametrize(
    ("peer", "method", "headers", "reason"),
    [
        ("127.0.0.1", "GET", [HOST], None),
        ("::1", "GET", [(b"host", b"[::1]:8000")], None),
        ("::ffff:127.0.0.1", "POST", [(b"host", b"127.0.0.1:8000")], None),
        (
            "127.0.0.1",
            "POST",
            [HOST, (b"origin", b"http://localhost:8000"), (b"sec-fetch-site", b"same-origin")],
            None,
        ),
        ("127.0.0.1", "GET", [HOST, (b"sec-fetch-site", b"same-site")], None),
        ("192.0.2.7", "GET", [HOST], "192.0.2.7"),
        (None, "GET", [HOST], "unknown address"),
        ("127.0.0.1", "GET", [(b"host", b"expost.example")], "host"),
        ("127.0.0.1", "GET", [(b"host", b"localhost.evil.example")], "host"),
        ("127.0.0.1", "GET", [], "host"),
        ("127.0.0.1", "GET", [HOST, (b"X-Forwarded-For", b"127.0.0.1")], "proxy"),
        ("127.0.0.1", "GET", [HOST, (b"forwarded", b"for=127.0.0.1")], "proxy"),
        ("127.0.0.1", "GET", [HOST, (b"via", b"1.1 proxy")], "proxy"),
        ("127.0.0.1", "GET", [HOST, (b"x-real-ip", b"192.0.2.7")], "proxy"),
        ("127.0.0.1", "POST", [HOST, (b"origin", b"https://evil.example")], "evil.example"),
        ("127.0.0.1", "POST", [HOST, (b"origin", b"null")], "null"),
        ("127.0.0.1", "POST", [HOST, (b"origin", b"http://localhost:8001")], "8001"),
        ("127.0.0.1", "POST", [HOST, (b"sec-fetch-site", b"same-site")], "another site"),
        ("127.0.0.1", "GET", [HOST, (b"sec-fetch-site", b"cross-site")], "another site"),
    ],
)
def test_only_this_machine_speaking_for_itself_is_let_in(peer, method, headers, reason):
    refusal = find_refusal(peer, method, "http", headers)
    if reason is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert reason in refusal


def test_nginx_as_it_comes_out_of_the_box_is_taken_for_a_proxy():
    # `proxy_pass http://127.0.0.1:8000;` alone: a loopback peer, a loopback host, no header that tells.
    headers = [(b"host", b"127.0.0.1:8000"), (b"connection", b"close")]
    assert "proxy" in (find_refusal("127.0.0.1", "GET", "http", headers, "1.0") or "")


def test_no_websocket_gets_past_the_rule():
    sent: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it got past")

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def receive() -> Any: ...

    asyncio.run(LoopbackOnly(app)({"type": "websocket", "headers": []}, receive, send))
    assert sent == ["websocket.close"]
