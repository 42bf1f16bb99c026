from __future__ import annotations

import os
from pathlib import Path

import pytest

from expost.collector.daily import DAY_MICROS, DailyIds, salt_place
from expost.collector.peer import networks, visitor_address


def test_the_salt_is_outside_the_data_folder_and_for_its_user_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    place = salt_place(tmp_path / "data")
    assert place is not None
    assert place != salt_place(tmp_path / "other")
    assert place.is_relative_to(tmp_path / "run")
    DailyIds(lambda: 0, place).device("shop", "192.0.2.1", "x", 0)
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_made_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / f"expost-{os.geteuid()}").mkdir(mode=0o755)
    assert salt_place(tmp_path / "data") is None
    assert DailyIds(lambda: 0, None).device("shop", "192.0.2.1", "x", 0).startswith("daily-")


def test_yesterdays_salt_is_destroyed_also_when_nobody_comes(tmp_path: Path) -> None:
    now, place = 5 * DAY_MICROS - 10_000_000, tmp_path / "salt"
    ids = DailyIds(lambda: now, place)
    first = ids.device("shop", "192.0.2.1", "x", 0)
    salt = place.read_text().split()[1]
    assert ids.turn() == 10
    assert salt in place.read_text()
    now += 10_000_000
    assert ids.turn() == 86_400
    assert salt not in place.read_text()
    assert ids.device("shop", "192.0.2.1", "x", 0) != first
    assert [path.name for path in tmp_path.iterdir()] == ["salt"]


@pytest.mark.parametrize("content", ["", "garbage", "1970-01-01", "1970-01-01 zz", "1970-01-01 00ff"])
def test_a_damaged_salt_is_replaced(tmp_path: Path, content: str) -> None:
    place = tmp_path / "salt"
    place.write_text(content)
    DailyIds(lambda: 0, place).device("shop", "192.0.2.1", "x", 0)
    assert len(place.read_text().split()[1]) == 64


def test_parts_of_an_id_do_not_run_together() -> None:
    ids = DailyIds(lambda: 0, None)
    assert ids.device("ab", "c", "x", 0) != ids.device("a", "bc", "x", 0)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6,192.0.2.1, 10.9.9.9", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "garbage, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "6.6.6.6, garbage", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("192.0.2.9", "6.6.6.6", "192.0.2.9"),
        ("", "6.6.6.6", ""),
    ],
)
def test_only_hops_of_configured_proxies_are_believed(peer: str, forwarded: str, address: str) -> None:
    assert visitor_address(peer, forwarded, networks(["10.0.0.0/8"])) == address
    assert visitor_address(peer, forwarded, ()) == peer
