from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from expost.errors import FolderError, InvalidInput, UnknownName, UnknownSite
from expost.state.database import BUSY_SECONDS, State
from expost.state.definitions import SHELF, definition_history, save_definition
from expost.state.details import Details, describe, details
from expost.state.keys import add_key, keys, revoke_key
from expost.state.schema import META
from expost.state.secret import digest_of
from expost.state.sites import Site, add_site, change_site, find_site, months_of, sites


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.sqlite")


def test_a_site_is_found_again_with_all_it_was_given(state: State, tmp_path: Path) -> None:
    shop = Site(
        "shop", "Shop", "Europe/Berlin", 6, ("https://Shop.example:443", "null"), "https://x.example", True
    )
    add_site(state, shop)
    kept = find_site(State(tmp_path / "state.sqlite"), "shop")
    assert kept.origins == ("https://shop.example", "null")
    assert (kept.time_zone, kept.week_start, kept.count_bots) == ("Europe/Berlin", 6, True)


def test_the_only_site_needs_no_name_and_two_do(state: State) -> None:
    with pytest.raises(InvalidInput, match="0 sites"):
        find_site(state)
    add_site(state, Site("shop", "Shop"))
    assert find_site(state).slug == "shop"
    add_site(state, Site("blog", "Blog"))
    with pytest.raises(InvalidInput, match="2 sites"):
        find_site(state)


def test_an_unknown_site_is_told_the_nearest_one(state: State) -> None:
    add_site(state, Site("shop", "Shop"))
    with pytest.raises(UnknownSite) as refused:
        find_site(state, "shpo")
    assert "shop" in refused.value.hint


@pytest.mark.parametrize(
    "site",
    [
        Site("../etc", "x"),
        Site("Shop", "x"),
        Site("", "x"),
        Site("shop\n", "x"),
        Site("shop", "x", "Mars/Olympus"),
        Site("shop", "x", week_start=7),
        Site("shop", "x", origins=("shop.example",)),
    ],
    ids=lambda site: repr(site.slug),
)
def test_a_site_that_cannot_be_is_refused(state: State, site: Site) -> None:
    with pytest.raises(InvalidInput):
        add_site(state, site)
    assert sites(state) == []


def test_a_slug_never_changes_and_other_things_do(state: State) -> None:
    add_site(state, Site("shop", "Shop"))
    with pytest.raises(InvalidInput):
        change_site(state, "shop", slug="market")
    assert change_site(state, "shop", count_bots=True).count_bots
    assert find_site(state).count_bots


def test_a_write_key_can_be_printed_again_and_secret_ones_cannot(state: State) -> None:
    add_site(state, Site("shop", "Shop"))
    _, write = add_key(state, "shop", "write", lambda: 1)
    assert keys(state, "shop", "write")[0].text == write
    for kind, prefix in (("server", "xs_"), ("import", "xi_")):
        made, secret = add_key(state, "shop", kind, lambda: 2)  # type: ignore[arg-type]
        assert secret.startswith(prefix)
        [kept] = keys(state, kind=kind)  # type: ignore[arg-type]
        assert (made.text, kept.text, kept.digest) == (None, None, digest_of(secret))
        assert secret.encode() not in b"".join(part.read_bytes() for part in state.path.parent.iterdir())


def test_a_revoked_key_stays_listed_but_opens_nothing(state: State) -> None:
    add_site(state, Site("shop", "Shop"))
    key, text = add_key(state, "shop", "write", lambda: 1)
    add_key(state, "shop", "write", lambda: 1)
    assert revoke_key(state, text, lambda: 7).revoked_at == 7
    assert revoke_key(state, key.prefix, lambda: 9).revoked_at == 7
    assert [key.is_active for key in keys(state)] == [False, True]
    with pytest.raises(UnknownName):
        revoke_key(state, "", lambda: 9)


def test_the_beginning_of_several_keys_revokes_none_of_them(state: State) -> None:
    add_site(state, Site("shop", "Shop"))
    for _ in range(2):
        add_key(state, "shop", "write", lambda: 1)
    with pytest.raises(InvalidInput, match="2 keys start with 'xw_'"):
        revoke_key(state, "xw_", lambda: 2)
    assert all(key.is_active for key in keys(state))


def test_a_change_by_another_process_changes_the_revision(state: State, tmp_path: Path) -> None:
    before = state.revision()
    assert state.revision() == before
    add_site(State(tmp_path / "state.sqlite"), Site("shop", "Shop"))
    assert state.revision() != before


def test_writers_in_many_threads_wait_for_each_other(state: State) -> None:
    threads = [
        threading.Thread(target=add_site, args=(state, Site(f"site-{number}", "x"))) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sites(state)) == 8


def test_who_reads_does_not_wait_for_who_writes(state: State, tmp_path: Path) -> None:
    add_site(state, Site("shop", "Shop"))
    with state.writing() as connection:
        connection.execute(update(META).values(value="1"))
        began = time.monotonic()
        assert [site.slug for site in sites(State(tmp_path / "state.sqlite"))] == ["shop"]
        assert time.monotonic() - began < BUSY_SECONDS / 2


def test_a_state_of_a_newer_version_is_refused_with_the_way_out(state: State, tmp_path: Path) -> None:
    with state.writing() as connection:
        connection.execute(update(META).values(value="99"))
    with pytest.raises(FolderError, match="newer Expost"):
        State(tmp_path / "state.sqlite")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"not a database at all, certainly not" * 100)
    with pytest.raises(FolderError, match=r"state\.sqlite"):
        State(tmp_path / "state.sqlite")


def test_a_site_keeps_events_for_25_months_unless_it_says_otherwise(state: State) -> None:
    assert add_site(state, Site("shop", "Shop")).keep_months == 25
    add_site(state, Site("blog", "Blog", keep_months=1))
    assert find_site(state, "blog").kept == "for 1 month"
    change_site(state, "blog", keep_months=None)
    assert (find_site(state, "blog").keep_months, find_site(state, "blog").kept) == (None, "for ever")
    for months in (0, -1, 1_201):
        with pytest.raises(InvalidInput, match=rf"kept for {months} months"):
            change_site(state, "blog", keep_months=months)
    assert find_site(state, "blog").keep_months is None


@pytest.mark.parametrize("text", ["0x5", "1.5", "", "-3", "two", "²", "9" * 5_000])
def test_months_are_a_whole_number_or_forever(text: str) -> None:
    with pytest.raises(InvalidInput, match="months") as refused:
        months_of(text)
    assert "forever" in refused.value.hint


def test_a_site_counts_neither_internal_devices_nor_other_environments_unless_it_says_so(
    state: State, tmp_path: Path
) -> None:
    shop = add_site(state, Site("shop", "Shop"))
    assert (shop.count_internal, shop.environments) == (False, ("production",))
    change_site(state, "shop", count_internal=True, environments=("production", "staging", "production"))
    kept = find_site(State(tmp_path / "state.sqlite"))
    assert (kept.count_internal, kept.environments) == (True, ("production", "staging"))
    assert change_site(state, "shop", environments=()).environments == find_site(state).environments == ()
    for environments in (("all", "staging"), ("",), (" ",), ("x" * 201,)):
        with pytest.raises(InvalidInput, match="environment") as refused:
            change_site(state, "shop", environments=environments)
        assert "'all' alone" in refused.value.hint


def test_a_state_from_before_such_settings_opens_and_its_sites_count_as_they_did(
    state: State, tmp_path: Path
) -> None:
    add_site(state, Site("shop", "Shop", count_bots=True, count_internal=True, environments=()))
    state.close()
    with sqlite3.connect(tmp_path / "state.sqlite") as file:
        for column in ("count_internal", "environments"):
            file.execute(f"alter table sites drop column {column}")
    file.close()
    site = find_site(State(tmp_path / "state.sqlite"), "shop")
    assert (site.count_bots, site.count_internal, site.environments) == (True, False, ("production",))


def test_a_state_from_before_the_keeping_time_opens_and_its_sites_get_the_default(
    state: State, tmp_path: Path
) -> None:
    add_site(state, Site("shop", "Shop", "Europe/Berlin", keep_months=3))
    state.close()
    with sqlite3.connect(tmp_path / "state.sqlite") as file:
        file.execute("alter table sites drop column keep_months")
    file.close()
    site = find_site(State(tmp_path / "state.sqlite"), "shop")
    assert (site.time_zone, site.keep_months) == ("Europe/Berlin", 25)
    assert change_site(State(tmp_path / "state.sqlite"), "shop", keep_months=None).keep_months is None
    assert find_site(State(tmp_path / "state.sqlite"), "shop").keep_months is None


def test_definitions_saved_before_versions_had_a_validity_are_valid_always(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    before = State(path)
    add_site(before, Site("shop", "Shop"))
    save_definition(before, "shop", "Signed up", {"alternatives": []}, engine=1, clock=lambda: 1)
    before.close()
    with closing(sqlite3.connect(path)) as file:
        for column in ("valid_from", "valid_until", "starts_over"):
            file.execute(f"alter table definitions drop column {column}")
        file.execute("drop table definition_details")
        file.commit()
    widened = State(path)
    [kept] = definition_history(widened, "shop", "Signed up")
    assert (kept.valid_from, kept.valid_until, kept.starts_over) == (None, None, False)
    assert details(widened, SHELF, "shop") == {}
    describe(widened, SHELF, "shop", "signed UP", Details(owner="ann"), clock=lambda: 2)
    assert details(widened, SHELF, "shop") == {"signed up": Details(owner="ann")}
