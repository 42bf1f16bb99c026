"""What the rule of access says beside its table of routes: where a request comes from, and where a login leads."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.admission import Asking, House, find_caller, judge, safe_next
from expost.collector.peer import networks

HOUSE = House(
    has_account=True,
    public_urls=frozenset({"https://expost.example", "https://shop.example:8443/x"}),
    host="0.0.0.0",
    trusted=networks(["10.0.0.0/8", "127.0.0.1/32"]),
)
BEHIND = {"host": "expost.example", "x-forwarded-for": "198.51.100.4", "x-forwarded-proto": "https"}


def asking(peer: str = "192.0.2.7", method: str = "GET", path: str = "/live", **headers: str) -> Asking:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asking(peer, method, path, {"host": "192.0.2.1:8000"} | named)


@pytest.mark.parametrize(
    ("peer", "headers", "address", "is_local", "is_secure"),
    [
        ("192.0.2.7", {}, "192.0.2.7", False, False),
        ("192.0.2.7", BEHIND, "192.0.2.7", False, False),
        ("10.1.1.1", BEHIND, "198.51.100.4", False, True),
        (
            "10.1.1.1",
            BEHIND | {"x-forwarded-for": "6.6.6.6, 198.51.100.4, 10.2.2.2"},
            "198.51.100.4",
            False,
            True,
        ),
        ("::ffff:10.1.1.1", BEHIND, "198.51.100.4", False, True),
        ("10.1.1.1", BEHIND | {"x-forwarded-proto": "http"}, "198.51.100.4", False, False),
        ("10.1.1.1", BEHIND | {"x-forwarded-proto": "https, http"}, "198.51.100.4", False, False),
        ("127.0.0.1", {"host": "expost.example"}, "127.0.0.1", True, True),
        ("10.1.1.1", {"host": "other.example"}, "10.1.1.1", False, False),
    ],
)
def test_only_trusted_proxies_are_believed(peer, headers, address, is_local, is_secure):
    caller = find_caller(asking(peer, **headers), HOUSE)
    assert (caller.address, caller.is_local, caller.is_secure) == (address, is_local, is_secure)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("expost.example", True),
        ("EXPOST.example:443", True),
        ("shop.example:8443", True),
        ("localhost:8000", True),
        ("192.0.2.1:8000", True),
        ("[2001:db8::1]:8000", True),
        ("evil.example", False),
        ("expost.example.evil.example", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_only_names_of_ours_and_addresses_answer(host, is_ours):
    verdict = judge(asking(host=host), HOUSE, "login")
    assert (verdict.kind == "in") == is_ours
    assert is_ours or "--public-url" in verdict.hint


@pytest.mark.parametrize(
    ("headers", "is_in"),
    [
        ({}, True),
        ({"origin": "https://expost.example"}, True),
        ({"origin": "https://expost.example", "sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"origin": "http://expost.example"}, False),
        ({"origin": "https://expost.example:8443"}, False),
        ({"origin": "https://shop.example:8443"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://expost.example", "sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "something new"}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "SOMETHING"])
def test_only_a_page_of_ours_changes_anything_in_the_name_of_a_login(method, headers, is_in):
    asked = asking("10.1.1.1", method, **BEHIND, **headers)
    assert (judge(asked, HOUSE, "login").kind == "in") == is_in
    assert judge(Asking("10.1.1.1", method, "/api/v1/sql", asked.headers), HOUSE, "key").kind == "in"


def test_what_is_refused_says_what_to_do():
    closed = House()
    assert "expost accounts add" in judge(asking(), closed, "none").hint
    assert "--public-url" not in judge(asking(), closed, "none").hint
    assert "--public-url https://evil.test" in judge(asking(host="evil.test:8000"), closed, "none").hint
    assert "trusted_proxies" in judge(asking(x_forwarded_for="1.2.3.4"), HOUSE, "login").hint
    assert "open it from here" in judge(asking(sec_fetch_site="cross-site"), HOUSE, "login").hint


@pytest.mark.parametrize(
    "path",
    ["", "live", "//evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
     "https://evil.example", "javascript:alert(1)", " /live", "/live\x00", "/login?next=/login",
     "/logout", "/setup-account"],
)  # fmt: skip
def test_a_login_leads_to_no_other_site_and_to_no_loop(path):
    assert safe_next(path) == "/"


def test_a_login_leads_back_to_what_was_asked_for():
    assert safe_next("/funnel?step=a&next=//evil.example") == "/funnel?step=a&next=//evil.example"


@given(st.text(alphabet=st.sampled_from("/\\.:@?#%\t\n\r evilhttps"), max_size=30))
def test_whatever_is_asked_for_a_login_stays_here(text):
    # As browsers read it: a backslash is a slash, tabs and line ends are nothing.
    read = safe_next(text).translate(str.maketrans("\\", "/", "\t\n\r"))
    assert urlsplit(urljoin("https://expost.example/login", read)).netloc == "expost.example"


@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"]),
    st.sampled_from(
        ["/live", "/live.json", "/api/v1/flags", "/account", "/static", "/login/", "//login", "/"]
    ),
    st.dictionaries(
        st.sampled_from(["host", "origin", "sec-fetch-site", "x-forwarded-for", "x-forwarded-proto", "via"]),
        st.sampled_from(
            [
                "localhost",
                "expost.example",
                "same-origin",
                "none",
                "https",
                "127.0.0.1",
                "https://expost.example",
            ]
        ),
    ),
    st.sampled_from(["127.0.0.1", "10.1.1.1", "192.0.2.7", None]),
    st.sampled_from(["1.0", "1.1"]),
)
def test_with_an_account_nobody_is_let_in_without_a_login_or_a_key_whatever_they_say(
    method, path, headers, peer, version
):
    asked = Asking(peer, method, path, headers, "http", version)
    assert judge(asked, HOUSE, "none").kind != "in"
    if not path.startswith("/api/"):
        assert judge(asked, HOUSE, "key").kind != "in"
