"""Logging in as a browser, a program or a guesser meets it: cookies, delays, what is ended at once."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from expost.access import FAILURES_NOTED_AN_HOUR, MOST_WAITING, Access
from expost.admission import Caller
from expost.app import create_app
from expost.clock import wall_clock
from expost.errors import TooManyTries, WrongLogin
from expost.settings import Settings
from expost.state.accounts import accounts, add_account, change_password, find_account
from expost.state.api_keys import add_api_key, api_keys, revoke_api_key
from expost.state.audit import NOBODY, audit_lines
from expost.state.database import State
from expost.state.logins import end_login, logins
from expost.state.password import HASHER, hash_password, is_password
from expost.state.setup_token import make_setup_token
from expost.state.sites import Site, add_site
from expost.throttle import Throttle
from tests.ui.stand_in import SITE, StandIn

PASSWORD = "four words make one"
HASHED = hash_password(PASSWORD)
NEAR = Caller("127.0.0.1")
FAR = Caller("198.51.100.4", is_local=False)


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def access(tmp_path: Path, watch: Watch) -> Any:
    state = State(tmp_path / "state.sqlite")
    add_site(state, Site("shop", "Shop", public_url="https://expost.example"))
    add_account(state, "Ann", HASHED, wall_clock)
    opened = Access(state, Settings(trusted_proxies=("10.0.0.0/8",)), seconds=watch)
    yield opened
    opened.close()
    state.close()


def app_of(access: Access) -> Any:
    async def collector(*_: Any) -> None: ...

    return create_app(collector, StandIn().call, lambda: (SITE,), access)  # type: ignore[arg-type]


def browser(
    access: Access, base_url: str = "http://192.0.2.1:8000", peer: str = "198.51.100.4", **headers: str
) -> Any:
    named = {"accept": "text/html"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(
        app_of(access),
        base_url,
        client=(peer, 5),
        headers=named,
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def log_in(web: Any, password: str = PASSWORD, **fields: str) -> Any:
    return web.post("/login", data={"name": "ann", "password": password} | fields)


def text_of(response: Any) -> str:
    return " ".join(BeautifulSoup(response.text, "html5lib").get_text(" ", strip=True).split())


def test_a_login_leads_back_to_the_page_that_was_asked_for(access: Access) -> None:
    web = browser(access)
    sent_away = web.get("/funnel?step=a&step=b c")
    assert sent_away.status_code == 303
    form = BeautifulSoup(web.get(sent_away.headers["location"]).text, "html5lib")
    [target] = form.select("input[name=next]")
    logged_in = log_in(web, next=str(target["value"]))
    assert logged_in.status_code == 303
    assert logged_in.headers["location"] == "/funnel?step=a&step=b%20c"
    assert web.get("/live").status_code == 200
    assert web.get("/login").headers["location"] == "/"


def test_a_long_address_is_come_back_to_and_one_that_no_login_page_can_carry_is_not(access: Access) -> None:
    web = browser(access)
    for length, is_kept in ((4_000, True), (12_000, False)):
        address = "/sql?query=" + "%20" * (length // 3)
        sent_away = web.get(address).headers["location"]
        assert ("next=" in sent_away) == is_kept
        assert len(sent_away) < 16_000
    assert log_in(web, next="/sql?query=" + "%20" * 1_600).headers["location"].startswith("/sql?query=%20")


def test_logging_in_again_ends_the_login_before(access: Access) -> None:
    web = browser(access)
    log_in(web)
    log_in(web)
    assert len(logins(access.state)) == 1
    assert web.get("/live").status_code == 200


def test_a_login_never_leads_to_another_site(access: Access) -> None:
    web = browser(access)
    assert log_in(web, next="//evil.example/").headers["location"] == "/"
    assert browser(access).get("/login?next=https://evil.example").text.count("evil.example") == 0


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(access: Access) -> None:
    plain = log_in(browser(access)).headers["set-cookie"]
    assert plain.startswith("expost=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(plain.split("; "))
    assert "Secure" not in plain
    behind = {"x_forwarded_for": "198.51.100.4", "x_forwarded_proto": "https"}
    secure = log_in(browser(access, "https://expost.example", "10.0.0.1", **behind)).headers["set-cookie"]
    assert secure.startswith("__Host-expost=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(secure.split("; "))
    assert "Domain" not in secure


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(access: Access) -> None:
    wrong, unknown = log_in(browser(access), "x" * 12), log_in(browser(access), "x" * 12, name="nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text == unknown.text.replace('value="nobody"', 'value="ann"')
    assert "do not go together" in text_of(wrong)
    assert "set-cookie" not in wrong.headers


def test_an_unknown_name_costs_the_same_hashing(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    class Counting:
        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed.rpartition("$p=")[0])
            return bool(HASHER.verify(hashed, password))

        hash = HASHER.hash

    monkeypatch.setattr("expost.state.password.HASHER", Counting())
    for name in ("ann", "nobody"):
        with pytest.raises(WrongLogin):
            asyncio.run(access.log_in(name, "x" * 12, FAR, ""))
    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_logging_out_ends_the_login_on_the_server_too(access: Access) -> None:
    web = browser(access)
    log_in(web)
    kept = web.cookies["expost"]
    assert web.post("/logout").headers["location"] == "/login"
    again = browser(access, cookie=f"expost={kept}")
    assert again.get("/live").status_code == 303
    assert logins(access.state) == []


def test_whatever_is_ended_elsewhere_opens_nothing_at_the_next_request(
    access: Access, tmp_path: Path
) -> None:
    web = browser(access)
    log_in(web)
    account = find_account(access.state)
    key, text = add_api_key(access.state, account, "report", wall_clock)
    program = browser(access, authorization=f"Bearer {text}")
    assert (web.get("/live").status_code, program.get("/api/v1/flags").status_code) == (200, 200)
    elsewhere = State(tmp_path / "state.sqlite")
    [login] = logins(elsewhere)
    end_login(elsewhere, account.id, login.id, wall_clock, by=NOBODY, action="login ended")
    assert web.get("/live").status_code == 303
    revoke_api_key(elsewhere, key.prefix, wall_clock)
    assert program.get("/api/v1/flags").status_code == 401


def test_another_password_logs_out_all_browsers_but_this_one(access: Access) -> None:
    here, there = browser(access), browser(access)
    log_in(here)
    log_in(there)
    wrong = here.post("/account/password", data={"current": "x" * 12, "new": "five words make a better one"})
    assert (wrong.status_code, "not your present password" in text_of(wrong)) == (401, True)
    short = here.post("/account/password", data={"current": PASSWORD, "new": "short"})
    assert (short.status_code, "at least 12 characters" in text_of(short)) == (400, True)
    assert there.get("/live").status_code == 200
    changed = here.post(
        "/account/password", data={"current": PASSWORD, "new": "five words make a better one"}
    )
    assert changed.headers["location"] == "/account?said=password"
    assert "password is changed" in text_of(here.get("/account?said=password"))
    assert there.get("/live").status_code == 303
    assert log_in(there).status_code == 401
    assert log_in(there, "five words make a better one").status_code == 303


def test_a_key_is_shown_once_opens_the_api_and_is_revoked_by_its_button(access: Access) -> None:
    web = browser(access)
    log_in(web)
    made = BeautifulSoup(web.post("/account/keys", data={"name": "nightly report"}).text, "html5lib")
    [shown] = made.select("#made-key")
    text = shown.get_text()
    assert text not in web.get("/account").text
    program = browser(access, authorization=f"Bearer {text}")
    assert program.get("/api/v1/definitions").status_code == 200
    assert program.get("/live").status_code == 303
    assert api_keys(access.state)[0].used_at is not None
    [prefix] = made.select("input[name=prefix]")
    web.post("/account/keys/revoke", data={"prefix": str(prefix["value"])})
    assert program.get("/api/v1/definitions").status_code == 401
    assert "None yet" in text_of(web.get("/account"))


def test_a_definition_names_who_saved_it_and_from_where(access: Access) -> None:
    class Remembering(StandIn):
        async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
            said.append(named)
            return await super().call(method, *arguments, **named)

    said: list[dict[str, Any]] = []
    remembering = Remembering()
    app = create_app(lambda *_: None, remembering.call, lambda: (SITE,), access)  # type: ignore[arg-type]
    web = TestClient(app, "http://192.0.2.1:8000", client=("198.51.100.4", 5), follow_redirects=False)
    log_in(web)
    web.post("/definitions", data={"name": "Bought", "click": "button.buy"})
    assert (said[-1]["author"], said[-1]["place"]) == ("Ann", "elsewhere")
    key, text = add_api_key(access.state, find_account(access.state), "report", wall_clock)
    web.put(
        "/api/v1/definitions/Bought", json={"click": "a.buy"}, headers={"authorization": f"Bearer {text}"}
    )
    assert (said[-1]["author"], said[-1]["place"]) == (key.prefix, "elsewhere")


def test_a_link_from_another_site_asks_once_before_it_shows_anything(access: Access) -> None:
    web = browser(access)
    log_in(web)
    response = web.get("/funnel?step=a&step=<b>", headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    [link] = BeautifulSoup(response.text, "html5lib").select("main a")
    assert link.get_text() == "Open it"
    assert web.get(str(link["href"]), headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_a_panel_that_renews_itself_does_not_become_a_login_page(access: Access) -> None:
    response = browser(access, sec_fetch_dest="empty").get("/live/latest")
    assert response.status_code == 401


def test_every_refusal_says_what_to_do_next(access: Access) -> None:
    api = browser(access).get("/api/v1/flags")
    assert (api.status_code, api.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer xa_" in api.json()["error"]["hint"]
    site_key = browser(access, authorization="Bearer xw_abc").get("/api/v1/flags").json()["error"]
    assert "opens /e only" in site_key["message"]
    hidden = browser(access, x_forwarded_for="192.0.2.9").get("/live")
    assert (hidden.status_code, "trusted_proxies" in text_of(hidden)) == (403, True)
    named = browser(access, "http://stats.example").get("/live")
    assert (named.status_code, "--public-url https://stats.example" in text_of(named)) == (403, True)


def test_what_nobody_known_sends_is_small(access: Access) -> None:
    web = browser(access)
    assert web.post("/login", data={"name": "x" * 70_000, "password": "x"}).status_code == 413
    endless, form = iter([b"name=", *[b"x" * 1_000] * 70]), "application/x-www-form-urlencoded"
    assert web.post("/login", content=endless, headers={"content-type": form}).status_code == 413


def test_guesses_at_a_name_are_slowed_down_and_the_answer_says_for_how_long(
    access: Access, watch: Watch
) -> None:
    addresses = iter(range(1, 250))

    def guess(password: str = "x" * 12) -> Any:
        return log_in(browser(access, peer=f"203.0.113.{next(addresses)}"), password)

    assert [guess().status_code for _ in range(7)] == [401] * 6 + [429]
    waits = []
    for _ in range(9):
        refused = guess(PASSWORD)
        assert refused.status_code == 429
        waits.append(int(refused.headers["retry-after"]))
        watch.now += waits[-1]
        assert guess().status_code == 401
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    watch.now += 60
    assert guess(PASSWORD).status_code == 303


def test_who_was_there_before_is_not_kept_out_by_a_strangers_guesses(access: Access, watch: Watch) -> None:
    assert log_in(browser(access)).status_code == 303
    for number in range(20):
        log_in(browser(access, peer=f"203.0.113.{number}"), "x" * 12)
    assert log_in(browser(access, peer="203.0.113.99")).status_code == 429
    assert log_in(browser(access)).status_code == 303
    assert watch.now == 0


def test_one_address_cannot_try_one_password_at_many_names(access: Access, watch: Watch) -> None:
    web = browser(access)
    found = [log_in(web, name=f"name {number}").status_code for number in range(12)]
    assert found == [401] * 11 + [429]
    watch.now += 1
    assert log_in(web).status_code == 303


def test_guessing_a_setup_token_is_slowed_down_too(access: Access) -> None:
    make_setup_token(access.state, wall_clock, by=NOBODY)
    web, form = browser(access), {"token": "setup-x", "name": "bob", "password": PASSWORD}
    found = [web.post("/setup-account", data=form).status_code for _ in range(12)]
    assert found == [401] * 11 + [429]
    assert log_in(web).status_code == 303


def test_guessing_passwords_does_not_keep_anybody_from_using_a_setup_token(access: Access) -> None:
    token = make_setup_token(access.state, wall_clock, by=NOBODY)
    web = browser(access)
    assert [log_in(web, name=f"name {number}").status_code for number in range(12)][-1] == 429
    form = {"token": token, "name": "bob", "password": PASSWORD}
    assert web.post("/setup-account", data=form).status_code == 303


def test_a_setup_token_that_is_none_leaves_a_line_in_the_audit_without_what_was_typed(
    access: Access, watch: Watch
) -> None:
    form = {"token": "setup-guessed", "name": "bob", "password": PASSWORD}
    for number in range(FAILURES_NOTED_AN_HOUR + 2):
        assert (
            browser(access, peer=f"203.0.113.{number}").post("/setup-account", data=form).status_code == 401
        )
    refused = [line for line in audit_lines(access.state) if line.action == "setup token refused"]
    assert len(refused) == FAILURES_NOTED_AN_HOUR
    assert (refused[0].subject, refused[0].place) == ("one that is not in force", "elsewhere")
    watch.now += 3_601
    browser(access).post("/setup-account", data=form)
    assert audit_lines(access.state, limit=1)[0].detail == "and 2 more before it"
    assert b"guessed" not in b"".join(path.read_bytes() for path in access.state.path.parent.iterdir())


def test_a_throttle_forgets_after_an_hour_and_holds_so_many_names() -> None:
    throttle = Throttle(free=1, longest=900, most=3)
    for _ in range(40):
        throttle.count("ann", 0)
    assert throttle.wait("ann", 0) == 900
    throttle.count("ann", 3_601)
    assert throttle.wait("ann", 3_601) == 0
    for name in "abcde":
        throttle.count(name, 3_602)
    assert len(throttle) == 3


def test_failed_logins_are_noted_up_to_a_bound_without_what_was_typed_or_any_address(
    access: Access, watch: Watch
) -> None:
    for number in range(FAILURES_NOTED_AN_HOUR + 5):
        with pytest.raises(WrongLogin):
            asyncio.run(
                access.log_in(f"hunter{number}", "x" * 12, Caller(f"203.0.113.{number}", is_local=False), "")
            )
    failed = [line for line in audit_lines(access.state) if line.action == "login failed"]
    assert len(failed) == FAILURES_NOTED_AN_HOUR
    watch.now += 3_601
    with pytest.raises(WrongLogin):
        asyncio.run(access.log_in("ann", "x" * 12, FAR, ""))
    latest = audit_lines(access.state, limit=1)[0]
    assert (latest.subject, latest.detail, latest.place) == ("Ann", "and 5 more before it", "elsewhere")
    kept = b"".join(path.read_bytes() for path in access.state.path.parent.iterdir())
    assert b"hunter" not in kept
    assert b"203.0.113" not in kept
    assert b"198.51.100" not in kept


def test_a_password_that_changed_while_it_was_checked_opens_nothing(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:

    def slow_check(hashed: str | None, password: str) -> bool:
        found = is_password(hashed, password)
        change_password(
            access.state, find_account(access.state), hash_password("another one of mine"), wall_clock
        )
        return found

    monkeypatch.setattr("expost.access.is_password", slow_check)
    with pytest.raises(WrongLogin):
        asyncio.run(access.log_in("ann", PASSWORD, NEAR, ""))
    assert logins(access.state) == []


def test_no_request_waits_for_a_password_and_only_so_many_passwords_wait(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    begun = threading.Semaphore(0)

    def stuck(_hashed: str | None, _password: str) -> bool:
        begun.release()
        return go_on.wait(60)

    monkeypatch.setattr("expost.access.is_password", stuck)

    async def story() -> None:
        callers = [Caller(f"203.0.113.{number}", is_local=False) for number in range(MOST_WAITING + 1)]
        tries = [
            asyncio.create_task(access.log_in(f"name {number}", PASSWORD, caller, ""))
            for number, caller in enumerate(callers[:-1])
        ]
        await asyncio.to_thread(begun.acquire)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app_of(access)), base_url="http://localhost"
        ) as client:
            assert (await client.get("/login")).status_code == 200
        with pytest.raises(TooManyTries):
            await access.log_in("one more", PASSWORD, callers[-1], "")
        go_on.set()
        await asyncio.gather(*tries, return_exceptions=True)

    asyncio.run(story())


def test_reading_changes_nothing(access: Access) -> None:
    web = browser(access)
    log_in(web)
    before = access.state.revision()
    for path in (
        "/live",
        "/account",
        "/audit",
        "/definitions",
        "/login",
        "/setup-account",
        "/logout",
        "/api/v1/flags",
    ):
        web.get(path)
    assert access.state.revision() == before
    assert web.get("/logout").status_code == 405
    assert web.get("/live").status_code == 200


def test_with_the_last_account_gone_this_machine_is_let_in_again_and_nobody_else(access: Access) -> None:
    near, far = browser(access, "http://localhost:8000", "127.0.0.1"), browser(access)
    assert near.get("/live").status_code == 303
    with access.state.writing() as connection:
        connection.exec_driver_sql("delete from accounts")
    assert accounts(access.state) == []
    assert near.get("/live").status_code == 200
    assert near.get("/login").headers["location"] == "/setup-account"
    refused = far.get("/live")
    assert (refused.status_code, "expost accounts add NAME" in text_of(refused)) == (403, True)
    assert far.get("/setup-account").status_code == 200
    assert "without TLS" in text_of(far.get("/setup-account"))
    assert "without TLS" not in text_of(near.get("/setup-account"))


def test_no_websocket_gets_past_the_gate(access: Access) -> None:
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def receive() -> Any: ...

    asyncio.run(app_of(access)({"type": "websocket", "headers": [], "path": "/live"}, receive, send))
    assert sent == ["websocket.close"]
