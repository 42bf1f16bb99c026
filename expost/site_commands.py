"""`expost sites`: the sites of a folder, their keys and the line to paste."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from expost.clock import from_micros, wall_clock
from expost.command_list import ListedGroup
from expost.errors import InvalidInput
from expost.lake.folder import Folder, open_folder
from expost.options import data_option, json_option, print_json, settings_of, site_option, wants_json
from expost.state.audit import command_line
from expost.state.database import State
from expost.state.keys import Key, add_key, keys, revoke_key
from expost.state.sites import (
    ALL_ENVIRONMENTS,
    WEEKDAYS,
    Site,
    add_site,
    change_site,
    environments_of,
    find_site,
    months_of,
    slug_of,
)
from expost.state.sites import sites as all_sites
from expost.table import table, terminal_console
from expost.tag import tag_of


def _site_options(command: Any) -> Any:
    for option in reversed(
        (
            click.option("--time-zone", metavar="ZONE", help="Time zone of its days and weeks."),
            click.option("--week-start", type=click.Choice(WEEKDAYS), help="First day of its weeks."),
            click.option(
                "--origin",
                "origins",
                multiple=True,
                help="A page origin that may send; repeat for several, all that may: they replace those before. "
                "'any' for all.",
            ),
            click.option("--public-url", help="The address at which its pages reach this server."),
            click.option(
                "--count-bots/--leave-bots-out", default=None, help="Whether its numbers count bots."
            ),
            click.option(
                "--count-internal/--leave-internal-out",
                default=None,
                help="Whether its numbers count internal devices: your own people, and pages on localhost.",
            ),
            click.option(
                "--environment",
                "environments",
                metavar="NAME",
                multiple=True,
                help="An environment that its numbers count; repeat for several: they replace those before. "
                "'all' for every one.",
            ),
            click.option(
                "--keep-months",
                metavar="N|forever",
                help="For how many months its events are kept, imported history included.",
            ),
        )
    ):
        command = option(command)
    return command


@click.group(cls=ListedGroup)
def sites() -> None:
    """The sites of a folder, their keys and the line to paste."""


@sites.command("list")
@data_option
@json_option
def list_sites(data: Path | None, as_json: bool) -> None:
    """Every site.

    \b
    Example: expost sites list
    """
    _folder, state = _open(data)
    found = all_sites(state)
    if wants_json(as_json):
        print_json([_site_json(site) for site in found])
    else:
        _show_sites(found)


def _show_sites(found: Sequence[Site]) -> None:
    columns = [("site", "left"), ("name", "left"), ("time zone", "left"), ("week starts", "left"),
               ("origins", "left"), ("counts", "left"), ("events are kept", "left")]  # fmt: skip
    rows = [
        (
            site.slug,
            site.name,
            site.time_zone,
            WEEKDAYS[site.week_start],
            ", ".join(site.origins) or "any",
            _counted(site),
            site.kept,
        )
        for site in found
    ]
    table(terminal_console(), columns, rows)


@sites.command("add")
@click.argument("name")
@click.option(
    "--slug", help="The name that is written into its events and never changes. Default: made of the name."
)
@_site_options
@data_option
def add(name: str, slug: str | None, data: Path | None, **options: Any) -> None:
    """A new site with its write key; prints the line to paste.

    \b
    Example: expost sites add "My shop" --time-zone Europe/Berlin --origin https://shop.example
    """
    _folder, state = _open(data)
    site = add_site(
        state,
        Site(slug or slug_of(name), name, created_at=wall_clock(), **_given(options)),
        by=command_line(),
    )
    key, _text = add_key(state, site.slug, "write", wall_clock, by=command_line())
    click.echo(f"The site {site.slug} is made. Paste this line into its pages:\n")
    click.echo(tag_of(_base_url(data, site), key.text or ""))


@sites.command("change")
@click.argument("slug")
@click.option("--name", help="Another name to show.")
@_site_options
@data_option
@json_option
def change(slug: str, name: str | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """Change what decides a site's numbers, who may send to it, or for how long its events are kept.

    Events that are older than --keep-months are removed for good, at the next start of the server and at each midnight
    (UTC). What counts is when an event happened, so imported history that is older goes as well.

    \b
    Example: expost sites change my-shop --origin https://shop.example --keep-months 13
    """
    folder, state = _open(data)
    changes = _given(options) | ({"name": name} if name else {})
    site = change_site(state, slug, by=command_line(), **changes)
    if wants_json(as_json):
        print_json(_site_json(site))
    else:
        _show_sites([site])
    if "keep_months" in changes:
        click.echo(_keeping(folder, site), err=True)


@sites.command("tag")
@click.argument("slug", required=False)
@site_option
@data_option
def tag(slug: str | None, site: str | None, data: Path | None) -> None:
    """The line to paste into the pages of a site.

    \b
    Example: expost sites tag
    """
    _folder, state = _open(data)
    chosen = find_site(state, _one_site(slug, site))
    active = [key for key in keys(state, chosen.slug, "write") if key.is_active]
    if not active:
        raise click.ClickException(
            f"{chosen.slug} has no write key. Make one with: expost sites keys {chosen.slug} --new write"
        )
    click.echo(tag_of(_base_url(data, chosen), active[-1].text or ""))


@sites.command("keys")
@click.argument("slug", required=False)
@site_option
@click.option(
    "--new",
    type=click.Choice(["write", "server", "import"]),
    help="Make a key. Those of servers and for import are shown this once.",
)
@click.option("--revoke", metavar="PREFIX", help="Close the key that starts like this, at once and for ever.")
@data_option
@json_option
def site_keys(
    slug: str | None, site: str | None, new: Any, revoke: str | None, data: Path | None, as_json: bool
) -> None:
    """The keys of a site: write keys stand in pages, server keys on servers, import keys send history.

    \b
    Example: expost sites keys --new import
    """
    _folder, state = _open(data)
    chosen = find_site(state, _one_site(slug, site))
    is_for_programs = wants_json(as_json)
    if new:
        key, text = add_key(state, chosen.slug, new, wall_clock, by=command_line())
        if new == "import" and chosen.keep_months is not None:
            click.echo(_import_warning(chosen), err=True)
        if is_for_programs:
            print_json(_key_json(key) | {"key": text})
        else:
            click.echo(f"The {new} key of {chosen.slug}:\n\n{text}\n")
            if key.text is None:
                click.echo("Keep it now: it is stored as a hash and cannot be shown again.")
        return
    if revoke:
        key = revoke_key(state, revoke, wall_clock, by=command_line())
        if is_for_programs:
            print_json(_key_json(key))
        else:
            click.echo(f"{key.prefix}… opens nothing any more.")
        return
    found = keys(state, chosen.slug)
    if is_for_programs:
        print_json([_key_json(key) for key in found])
        return
    columns = [("key", "left"), ("kind", "left"), ("made", "left"), ("revoked", "left")]
    rows = [
        (key.text or f"{key.prefix}…", key.kind, _moment(key.created_at), _moment(key.revoked_at))
        for key in found
    ]
    table(terminal_console(), columns, rows)


def _counted(site: Site) -> str:
    """What its numbers count."""
    also = [what for what, is_so in (("bots", site.count_bots), ("internal", site.count_internal)) if is_so]
    return ", ".join([*(site.environments or ["all environments"]), *also])


def _keeping(folder: Folder, site: Site) -> str:
    """What follows from the time for which events of a site are kept."""
    if site.keep_months is None:
        return f"Events of {site.slug} are kept for ever."
    # Here, because the other commands need no engine and should not wait for one.
    from expost.lake.reader import connect
    from expost.lake.retention import cut_of

    with connect(folder.path) as lake:
        [older] = lake.execute(
            "select count(*) from lake.events where site = $site and time < $cut",
            {"site": site.slug, "cut": from_micros(cut_of(site.keep_months, wall_clock()))},
        ).fetchone() or (0,)
    return (
        f"Events of {site.slug} are kept {site.kept}, imported history included. {older:,} are older today: they are "
        "removed for good at the next start of the server or at midnight (UTC)."
    )


def _import_warning(site: Site) -> str:
    return (
        f"Events of {site.slug} are kept {site.kept}: older history sent with this key is removed again within a day. "
        f"To keep more of it, first: expost sites change {site.slug} --keep-months N (or forever)"
    )


def _one_site(slug: str | None, site: str | None) -> str | None:
    """The site that was named, either way."""
    if slug is not None and site is not None and slug != site:
        raise InvalidInput(f"Two sites are named: {slug!r} and {site!r}.", hint="Name one of them.")
    return slug or site


def _open(data: Path | None) -> tuple[Folder, State]:
    settings = settings_of(data)
    folder = open_folder(settings.data, create=True)
    return folder, State(folder.state_path)


def _base_url(data: Path | None, site: Site) -> str:
    """Where pages reach the server: as set, else where it answered last, else where it would answer."""
    settings = settings_of(data)
    told = site.public_url or settings.public_url
    if told is None and not settings.sources.keys() & {"host", "port"}:
        address = open_folder(settings.data).address_path
        told = address.read_text("utf-8").strip() if address.is_file() else None
    return told or f"http://{settings.host}:{settings.port}"


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as fields of `Site`."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "week_start" in given:
        given["week_start"] = WEEKDAYS.index(given["week_start"])
    if "origins" in given:
        given["origins"] = () if given["origins"] == ("any",) else tuple(given["origins"])
    if "environments" in given:
        given["environments"] = environments_of(given["environments"])
    if "keep_months" in given:
        given["keep_months"] = months_of(given["keep_months"])
    return given


def _site_json(site: Site) -> dict[str, Any]:
    return {
        "site": site.slug,
        "name": site.name,
        "time_zone": site.time_zone,
        "week_start": WEEKDAYS[site.week_start],
        "origins": list(site.origins),
        "public_url": site.public_url,
        "count_bots": site.count_bots,
        "count_internal": site.count_internal,
        "environments": list(site.environments) or [ALL_ENVIRONMENTS],
        "keep_months": site.keep_months,
    }


def _key_json(key: Key) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "kind": key.kind,
        "key": key.text,
        "created_at": _moment(key.created_at),
        "revoked_at": _moment(key.revoked_at),
    }


def _moment(micros: int | None) -> str | None:
    moment: datetime | None = None if micros is None else from_micros(micros)
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M}"
