"""Without an account, pages and the API answer this machine only."""

from __future__ import annotations

import pytest

from expost.loopback import find_distance, find_other_page

HOST = {"host": "localhost:8000"}


@pytest.mark.parametrize(
    ("peer", "headers", "reason"),
    [
        ("127.0.0.1", HOST, None),
        ("::1", {"host": "[::1]:8000"}, None),
        ("::ffff:127.0.0.1", {"host": "127.0.0.1:8000"}, None),
        ("192.0.2.7", HOST, "192.0.2.7"),
        (None, HOST, "unknown address"),
        ("127.0.0.1", {"host": "expost.example"}, "host"),
        ("127.0.0.1", {"host": "localhost.evil.example"}, "host"),
        ("127.0.0.1", {}, "host"),
        ("127.0.0.1", HOST | {"x-forwarded-for": "127.0.0.1"}, "proxy"),
        ("127.0.0.1", HOST | {"forwarded": "for=127.0.0.1"}, "proxy"),
        ("127.0.0.1", HOST | {"via": "1.1 proxy"}, "proxy"),
        ("127.0.0.1", HOST | {"x-real-ip": "192.0.2.7"}, "proxy"),
    ],
)
def test_only_this_machine_speaking_for_itself_is_near(peer, headers, reason):
    found = find_distance(peer, headers)
    assert found is None if reason is None else reason in str(found)


@pytest.mark.parametrize(
    ("method", "headers", "reason"),
    [
        ("POST", HOST | {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}, None),
        ("GET", HOST | {"sec-fetch-site": "same-site"}, None),
        ("POST", HOST | {"origin": "https://evil.example"}, "evil.example"),
        ("POST", HOST | {"origin": "null"}, "null"),
        ("POST", HOST | {"origin": "http://localhost:8001"}, "8001"),
        ("POST", HOST | {"sec-fetch-site": "same-site"}, "another site"),
        ("GET", HOST | {"sec-fetch-site": "cross-site"}, "another site"),
    ],
)
def test_no_page_of_another_site_speaks_for_this_machine(method, headers, reason):
    found = find_other_page(method, "http", headers)
    assert found is None if reason is None else reason in str(found)


def test_nginx_as_it_comes_out_of_the_box_is_taken_for_a_proxy():
    # `proxy_pass http://127.0.0.1:8000;` alone: a loopback peer, a loopback host, no header that tells.
    assert "proxy" in (
        find_distance("127.0.0.1", {"host": "127.0.0.1:8000", "connection": "close"}, "1.0") or ""
    )
