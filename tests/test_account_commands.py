"""`expost accounts` and `expost audit`: the way in and the way back in, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from expost.cli import main
from expost.state.accounts import find_account
from expost.state.audit import NOBODY
from expost.state.database import State
from expost.state.logins import add_login, logins
from expost.state.password import is_password

PASSWORD = "four words make one"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def run(data: Path, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(data)], input=typed)


def told(data: Path, *arguments: str) -> Any:
    return json.loads(run(data, *arguments, "--json").stdout)


def state_of(data: Path) -> State:
    return State(data / "state.sqlite")


def make_ann(data: Path) -> None:
    made = run(data, "accounts", "add", "Ann", "--password-stdin", typed=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.output


def test_an_account_is_made_by_typing_its_password_twice(data: Path) -> None:
    differing = run(data, "accounts", "add", "Ann", typed=f"{PASSWORD}\nanother one\n")
    assert differing.exit_code != 0
    made = run(data, "accounts", "add", "Ann", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "Pages and the API ask for a login now." in made.output
    assert PASSWORD not in made.output
    assert is_password(find_account(state_of(data)).password, PASSWORD)


def test_what_cannot_be_an_account_is_refused_with_the_next_step(data: Path) -> None:
    make_ann(data)
    again = run(data, "accounts", "add", "ANN", "--password-stdin", typed=f"{PASSWORD}\n")
    assert (again.exit_code, "expost accounts password" in again.output) == (2, True)
    short = run(data, "accounts", "add", "Bob", "--password-stdin", typed="short\n")
    assert (short.exit_code, "at least 12 characters" in short.output) == (2, True)
    unknown = run(data, "accounts", "password", "Anne", "--password-stdin", typed=f"{PASSWORD}\n")
    assert (unknown.exit_code, "Did you mean 'Ann'?" in unknown.output) == (2, True)
    assert [each["account"] for each in told(data, "accounts", "list")] == ["Ann"]


def test_another_password_ends_what_the_old_one_opened(data: Path) -> None:
    make_ann(data)
    state = state_of(data)
    add_login(state, find_account(state), "Firefox", lambda: 1, by=NOBODY)
    changed = run(data, "accounts", "password", "--password-stdin", typed="five words make a better one\n")
    assert "logged out everywhere" in changed.output
    assert logins(state) == []
    assert is_password(find_account(state).password, "five words make a better one")


def test_removing_says_first_what_would_go_and_that_it_is_the_last_one(data: Path) -> None:
    make_ann(data)
    told(data, "accounts", "keys", "--new", "nightly report")
    asked = run(data, "accounts", "remove", "ann")
    assert "0 logins and 1 API key." in asked.output
    assert "It is the last one" in asked.output
    assert len(told(data, "accounts", "list")) == 1
    run(data, "accounts", "remove", "ann", "--yes")
    assert told(data, "accounts", "list") == []


def test_a_key_is_made_listed_without_its_text_and_revoked(data: Path) -> None:
    make_ann(data)
    made = told(data, "accounts", "keys", "--new", "nightly report")
    assert made["key"].startswith("xa_")
    [listed] = told(data, "accounts", "keys", "ann")
    assert (listed["prefix"], listed["name"], listed["revoked_at"]) == (
        made["prefix"],
        "nightly report",
        None,
    )
    assert made["key"] not in run(data, "accounts", "keys").output
    assert told(data, "accounts", "keys", "--revoke", made["prefix"])["revoked_at"] is not None
    assert run(data, "accounts", "keys", "--revoke", "xa_nosuch").exit_code == 2


def test_a_token_is_printed_once_and_the_audit_says_who_made_it(data: Path) -> None:
    first, second = run(data, "accounts", "token").output, run(data, "accounts", "token").output
    tokens = [
        next(line for line in output.splitlines() if line.startswith("setup-")) for output in (first, second)
    ]
    assert tokens[0] != tokens[1]
    audit = told(data, "audit", "--limit", "1")
    assert [(line["action"], line["place"]) for line in audit] == [("setup token made", "command line")]
    assert audit[0]["who"]
    assert not [token for token in tokens if token in run(data, "audit").output]


def test_what_is_done_to_sites_and_their_keys_is_in_the_audit(data: Path) -> None:
    run(data, "sites", "add", "Shop")
    run(data, "sites", "change", "shop", "--time-zone", "Europe/Berlin")
    key = told(data, "sites", "keys", "--new", "server")
    run(data, "sites", "keys", "--revoke", key["prefix"])
    run(data, "define", "Bought", "--click", "button.buy")
    actions = [line["action"] for line in reversed(told(data, "audit"))]
    assert actions == [
        "site added",
        "write key made",
        "site changed",
        "server key made",
        "server key revoked",
        "definition saved",
    ]
    [changed] = [line["detail"] for line in told(data, "audit") if line["action"] == "site changed"]
    assert changed == "time zone: Europe/Berlin"
    assert {line["place"] for line in told(data, "audit")} == {"command line"}
