"""`expost accounts` and `expost audit`: who may log in, and who changed what. The way back in stands here."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from expost.clock import from_micros, wall_clock
from expost.command_list import ListedGroup
from expost.errors import InvalidInput
from expost.lake.folder import Folder, open_folder
from expost.options import data_option, json_option, print_json, settings_of, wants_json
from expost.state.accounts import (
    Account,
    account_named,
    add_account,
    change_password,
    check_name,
    find_account,
    remove_account,
)
from expost.state.accounts import accounts as all_accounts
from expost.state.api_keys import ApiKey, add_api_key, api_keys, revoke_api_key
from expost.state.audit import AuditLine, audit_lines, command_line
from expost.state.database import State
from expost.state.logins import logins
from expost.state.password import check_password, hash_password
from expost.state.setup_token import make_setup_token
from expost.table import table, terminal_console


def _password_option(command: Any) -> Any:
    return click.option(
        "--password-stdin",
        is_flag=True,
        help="Read the password from standard input instead of asking for it.",
    )(command)


@click.group(cls=ListedGroup)
def accounts() -> None:
    """Who may log in to the pages, and which programs may ask the API."""


@accounts.command("add")
@click.argument("name")
@_password_option
@data_option
def add(name: str, password_stdin: bool, data: Path | None) -> None:
    """A new admin account. From the first one on, every page asks for a login, on this machine too.

    \b
    Example: expost accounts add ann
    """
    _folder, state = _open(data)
    told = check_name(name)
    if account_named(state, told) is not None:
        raise InvalidInput(
            f"An account called {told!r} is there already.",
            hint=f"Give it another password: expost accounts password {told!r}",
        )
    is_first = not all_accounts(state)
    add_account(state, told, hash_password(_asked_password(password_stdin)), wall_clock, by=command_line())
    click.echo(
        f"The account {told} is made." + (" Pages and the API ask for a login now." if is_first else "")
    )


@accounts.command("list")
@data_option
@json_option
def list_accounts(data: Path | None, as_json: bool) -> None:
    """Every account, with its logins and API keys.

    \b
    Example: expost accounts list
    """
    _folder, state = _open(data)
    found = [_account_json(state, each) for each in all_accounts(state)]
    if wants_json(as_json):
        print_json(found)
        return
    if not found:
        click.echo(
            "There is no account: pages answer this machine only. Make one with: expost accounts add NAME"
        )
        return
    columns = [("account", "left"), ("role", "left"), ("made", "left"), ("last used", "left"),
               ("logins", "right"), ("API keys", "right")]  # fmt: skip
    table(terminal_console(), columns, [tuple(each.values()) for each in found])


@accounts.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do it. Without this the command only says what would go.")
@data_option
def remove(name: str, yes: bool, data: Path | None) -> None:
    """Remove an account, its logins and its API keys. What it did stays in the audit.

    \b
    Example: expost accounts remove ann --yes
    """
    _folder, state = _open(data)
    account = find_account(state, name)
    known = _account_json(state, account)
    logged_in, programs = _counted(known["logins"], "login"), _counted(known["api_keys"], "API key")
    goes = f"the account {account.name}, {logged_in} and {programs}"
    is_last = len(all_accounts(state)) == 1
    after = (
        " It is the last one: pages then answer this machine only, and without a login." if is_last else ""
    )
    if not yes:
        click.echo(
            f"This would remove {goes}.{after} To do it: expost accounts remove {account.name!r} --yes"
        )
        return
    remove_account(state, account, wall_clock, by=command_line())
    click.echo(f"Removed {goes}.{after}")


@accounts.command("password")
@click.argument("name", required=False)
@_password_option
@data_option
def password(name: str | None, password_stdin: bool, data: Path | None) -> None:
    """Give an account another password; it is logged out everywhere. The way back in.

    \b
    Example: expost accounts password ann
    """
    _folder, state = _open(data)
    account = find_account(state, name)
    hashed = hash_password(_asked_password(password_stdin))
    change_password(state, account, hashed, wall_clock, by=command_line())
    click.echo(f"{account.name} has another password and is logged out everywhere.")


@accounts.command("token")
@data_option
def token(data: Path | None) -> None:
    """A setup token: whoever holds it may make one account at /setup-account, once, within 24 hours.

    \b
    Example: expost accounts token
    """
    folder, state = _open(data)
    text = make_setup_token(state, wall_clock, by=command_line())
    url = (
        folder.address_path.read_text("utf-8").strip()
        if folder.address_path.is_file()
        else "http://localhost:8000"
    )
    click.echo(f"Make one account within 24 hours at {url}/setup-account with this token:\n\n{text}\n")
    click.echo("It is kept as a hash and cannot be shown again. Earlier tokens open nothing any more.")


@accounts.command("keys")
@click.argument("name", required=False)
@click.option("--new", metavar="FOR", help="Make a key under this name; it is shown this once.")
@click.option("--revoke", metavar="PREFIX", help="Close the key that starts like this, at once and for ever.")
@data_option
@json_option
def keys(name: str | None, new: str | None, revoke: str | None, data: Path | None, as_json: bool) -> None:
    """The API keys of an account: programs ask /api/v1 with one.

    \b
    Example: expost accounts keys ann --new "nightly report"
    """
    _folder, state = _open(data)
    is_for_programs = wants_json(as_json)
    if new is not None:
        key, text = add_api_key(state, find_account(state, name), new, wall_clock, by=command_line())
        if is_for_programs:
            print_json(_key_json(key) | {"key": text})
        else:
            click.echo(f"The API key of {key.account} for {key.name}:\n\n{text}\n")
            click.echo("Keep it now: it is stored as a hash and cannot be shown again.")
        return
    if revoke is not None:
        key = revoke_api_key(state, revoke, wall_clock, by=command_line())
        print_json(_key_json(key)) if is_for_programs else click.echo(
            f"{key.prefix}… opens nothing any more."
        )
        return
    account_id = find_account(state, name).id if name is not None else None
    found = [_key_json(each) for each in api_keys(state, account_id)]
    if is_for_programs:
        print_json(found)
        return
    columns = [(title, "left") for title in ("key", "account", "for", "made", "last used", "revoked")]
    table(terminal_console(), columns, [tuple(each.values()) for each in found])


def print_audit(limit: int, data: Path | None, as_json: bool) -> None:
    """The latest lines of the audit, newest first."""
    _folder, state = _open(data)
    found = [_line_json(each) for each in audit_lines(state, limit=limit)]
    if wants_json(as_json):
        print_json(found)
        return
    columns = [(title, "left") for title in ("time (UTC)", "who", "from", "what", "about", "")]
    table(terminal_console(), columns, [tuple(each.values()) for each in found])


def _open(data: Path | None) -> tuple[Folder, State]:
    folder = open_folder(settings_of(data).data, create=True)
    return folder, State(folder.state_path)


def _asked_password(from_stdin: bool) -> str:
    """The password that is typed twice, or the first line of standard input."""
    if from_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    else:
        text = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    check_password(text)
    return text


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _account_json(state: State, account: Account) -> dict[str, Any]:
    now = wall_clock()
    open_logins = [each for each in logins(state, account.id) if not each.is_over(now)]
    active = [each for each in api_keys(state, account.id) if each.is_active]
    moments = [each.used_at for each in open_logins] + [each.used_at for each in active]
    used = [moment for moment in moments if moment is not None]
    return {
        "account": account.name,
        "role": account.role,
        "created_at": _moment(account.created_at),
        "used_at": _moment(max(used, default=None)),
        "logins": len(open_logins),
        "api_keys": len(active),
    }


def _key_json(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "account": key.account,
        "name": key.name,
        "created_at": _moment(key.created_at),
        "used_at": _moment(key.used_at),
        "revoked_at": _moment(key.revoked_at),
    }


def _line_json(line: AuditLine) -> dict[str, Any]:
    return {
        "at": _moment(line.at),
        "who": line.who,
        "place": line.place,
        "action": line.action,
        "subject": line.subject,
        "detail": line.detail,
    }


def _moment(micros: int | None) -> str | None:
    moment: datetime | None = None if micros is None else from_micros(micros)
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
