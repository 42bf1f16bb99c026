"""Accounts, logins, API keys, the setup token and the audit as the state keeps them."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from expost.errors import FolderError, InvalidInput, UnknownName, WrongLogin
from expost.state.accounts import (
    Account,
    account_named,
    accounts,
    add_account,
    change_password,
    remove_account,
)
from expost.state.api_keys import add_api_key, api_keys, revoke_api_key
from expost.state.audit import NOBODY, Actor, audit_lines
from expost.state.database import State
from expost.state.definitions import save_definition
from expost.state.keys import add_key, revoke_key
from expost.state.logins import IDLE, LONGEST, MOST, add_login, end_login, end_other_logins, logins
from expost.state.password import check_password, hash_password, is_password
from expost.state.setup_token import LASTS, make_setup_token, spend_setup_token
from expost.state.sites import Site, add_site, change_site

ANN = Actor("Ann", "this machine")
PASSWORD = "four words make one"


def now() -> int:
    return 1_764_000_000_000_000


def micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.sqlite")


@pytest.fixture
def ann(state: State) -> Account:
    return add_account(state, "Ann", "hash", now, by=ANN)


def test_a_state_from_before_accounts_opens_and_gets_its_tables(state: State, tmp_path: Path) -> None:
    add_site(state, Site("shop", "Shop"))
    state.close()
    with sqlite3.connect(tmp_path / "state.sqlite") as file:
        for table in ("logins", "api_keys", "accounts", "audit"):
            file.execute(f"drop table {table}")
    file.close()
    widened = State(tmp_path / "state.sqlite")
    add_account(widened, "Ann", "hash", now)
    assert [line.action for line in audit_lines(widened)] == ["account added"]


def test_a_password_is_found_right_wrong_and_missing() -> None:
    hashed = hash_password(PASSWORD)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in hashed
    assert is_password(hashed, PASSWORD)
    assert not is_password(hashed, PASSWORD.upper())
    assert not is_password(None, PASSWORD)
    assert not is_password("no hash at all", PASSWORD)
    assert not is_password(hashed, "\ud800" * 5_000)


def test_the_same_letters_typed_another_way_are_the_same_password() -> None:
    assert is_password(hash_password("Zürich und Köln"), "Zu\u0308rich und Ko\u0308ln")


@pytest.mark.parametrize("password", ["", "elevenchars", "a\u0308" * 11, "x" * 1_001])
def test_a_password_has_a_least_and_a_greatest_length(password: str) -> None:
    with pytest.raises(InvalidInput, match="at least 12"):
        check_password(password)


def test_a_password_of_twelve_has_no_other_rule() -> None:
    check_password("aaaaaaaaaaaa")


def test_an_account_is_found_however_its_name_is_written(state: State, ann: Account) -> None:
    assert account_named(state, "  ＡＮＮ ") == ann
    with pytest.raises(InvalidInput, match="there already"):
        add_account(state, "ann", "other", now)


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "x" * 101, "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(state: State, name: str) -> None:
    with pytest.raises(InvalidInput):
        add_account(state, name, "hash", now)


def test_the_state_keeps_no_secret_in_clear(state: State, ann: Account) -> None:
    secrets = [
        add_login(state, ann, "Firefox", now, by=ANN),
        add_api_key(state, ann, "report", now)[1],
        make_setup_token(state, now, by=ANN),
    ]
    kept = b"".join(path.read_bytes() for path in state.path.parent.iterdir())
    assert not [secret for secret in secrets if secret.encode() in kept]


def test_another_password_ends_every_login_and_leaves_the_keys(state: State, ann: Account) -> None:
    add_login(state, ann, "Firefox", now, by=ANN)
    key, _ = add_api_key(state, ann, "report", now)
    changed = change_password(state, ann, "new hash", now, by=ANN)
    assert logins(state) == []
    assert [each.is_active for each in api_keys(state)] == [key.is_active]
    with pytest.raises(WrongLogin):
        add_login(state, ann, "Firefox", now, by=ANN)
    assert add_login(state, changed, "Firefox", now, by=ANN)


def test_a_removed_account_takes_its_logins_and_keys_along(state: State, ann: Account) -> None:
    add_login(state, ann, "Firefox", now, by=ANN)
    add_api_key(state, ann, "report", now)
    remove_account(state, ann, now)
    assert (accounts(state), logins(state), api_keys(state)) == ([], [], [])
    bob = add_account(state, "Bob", "hash", now)
    assert bob.id != ann.id


def test_logins_that_are_over_make_room_and_no_account_has_endless_ones(state: State, ann: Account) -> None:
    add_login(state, ann, "old", now, by=ANN)
    later = now() + micros(IDLE) + 1
    add_login(state, ann, "new", lambda: later, by=ANN)
    assert [each.browser for each in logins(state)] == ["new"]
    for number in range(MOST + 3):
        add_login(state, ann, str(number), partial(int, later + number), by=ANN)
    kept = logins(state, ann.id)
    assert len(kept) == MOST
    assert kept[0].browser == str(MOST + 2)


def test_a_login_is_over_when_it_was_idle_or_is_old(state: State, ann: Account) -> None:
    add_login(state, ann, "Firefox", now, by=ANN)
    [login] = logins(state)
    assert not login.is_over(now() + micros(IDLE))
    assert login.is_over(now() + micros(IDLE) + 1)
    assert login.is_over(now() + micros(LONGEST) + 1)


def test_nobody_ends_the_login_of_somebody_else(state: State, ann: Account) -> None:
    bob = add_account(state, "Bob", "hash", now)
    add_login(state, ann, "Firefox", now, by=ANN)
    [login] = logins(state, ann.id)
    assert not end_login(state, bob.id, login.id, now, by=NOBODY, action="login ended")
    assert end_other_logins(state, bob.id, 0, now, by=NOBODY) == 0
    assert logins(state, ann.id) == [login]
    _, text = add_api_key(state, ann, "report", now)
    with pytest.raises(UnknownName):
        revoke_api_key(state, text, now, account_id=bob.id)


def test_a_setup_token_makes_one_account_and_then_opens_nothing(state: State) -> None:
    token = make_setup_token(state, now, by=NOBODY)
    spend_setup_token(state, f" {token}\n", "Ann", "hash", now, by=ANN)
    for again in (token, "", "setup-", token + "x"):
        with pytest.raises(WrongLogin):
            spend_setup_token(state, again, "Bob", "hash", now, by=ANN)
    assert [each.name for each in accounts(state)] == ["Ann"]


def test_a_token_ends_with_the_next_one_with_its_time_and_with_an_account(state: State) -> None:
    first = make_setup_token(state, now, by=NOBODY)
    second = make_setup_token(state, now, by=NOBODY)
    with pytest.raises(WrongLogin):
        spend_setup_token(state, first, "Ann", "hash", now, by=ANN)
    with pytest.raises(WrongLogin, match="24 hours"):
        spend_setup_token(state, second, "Ann", "hash", lambda: now() + micros(LASTS) + 1, by=ANN)
    add_account(state, "Ann", "hash", now)
    with pytest.raises(WrongLogin):
        spend_setup_token(state, second, "Bob", "hash", now, by=ANN)


def test_a_token_is_not_used_up_by_an_account_that_cannot_be_made(state: State, ann: Account) -> None:
    token = make_setup_token(state, now, by=NOBODY)
    with pytest.raises(InvalidInput, match="there already"):
        spend_setup_token(state, token, ann.name, "hash", now, by=ANN)
    assert spend_setup_token(state, token, "Bob", "hash", now, by=ANN).name == "Bob"


def test_every_change_has_its_line_and_none_can_be_changed(state: State) -> None:
    add_site(state, Site("shop", "Shop"), by=ANN)
    change_site(state, "shop", by=ANN, count_bots=True)
    write, _ = add_key(state, "shop", "write", now, by=ANN)
    revoke_key(state, write.prefix, now, by=ANN)
    save_definition(state, "shop", "Signed up", {"a": 1}, engine=1, clock=now, by=ANN)
    save_definition(state, "shop", "Signed up", {"a": 1}, engine=1, clock=now, by=ANN)
    lines = [(line.who, line.action, line.subject, line.detail) for line in reversed(audit_lines(state))]
    assert lines == [
        ("Ann", "site added", "shop", ""),
        ("Ann", "site changed", "shop", "count bots: yes"),
        ("Ann", "write key made", write.prefix, "for shop"),
        ("Ann", "write key revoked", write.prefix, "of shop"),
        ("Ann", "definition saved", "Signed up", "version 1 on shop"),
    ]
    for change in ("update audit set who = 'Bob'", "delete from audit"):
        with pytest.raises(FolderError, match="only grows"), state.writing() as connection:
            connection.exec_driver_sql(change)
    assert len(audit_lines(state)) == 5


def test_the_audit_is_read_page_by_page(state: State) -> None:
    for number in range(5):
        add_site(state, Site(f"site-{number}", "x"))
    first = audit_lines(state, limit=3)
    rest = audit_lines(state, limit=3, before=first[-1].id)
    assert [line.subject for line in [*first, *rest]] == [f"site-{number}" for number in (4, 3, 2, 1, 0)]
