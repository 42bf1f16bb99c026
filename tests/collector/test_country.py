"""The country of a visitor: by the owner's file, when the batch is accepted, without the address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from expost.cli import main
from expost.collector import country
from expost.collector.admission import Admission
from expost.collector.country import BadCountryFile, Countries
from expost.lake.batch import Accepted
from tests.collector.conftest import Desk, batch

GERMAN, FRENCH, JAPANESE, NOBODYS = "198.51.100.7", "198.51.101.9", "2001:db8:1:2:3:4:5:6", "203.0.113.1"


def write(path: Path, networks: dict[str, Any]) -> Path:
    """A file in MaxMind's format, put in the place of the one that was there."""
    writer = MMDBWriter(6, "Test-Country", languages=["en"], ipv4_compatible=True)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    draft = path.with_suffix(".draft")
    writer.to_db_file(str(draft))
    return draft.replace(path)


def named(code: str) -> dict[str, Any]:
    return {"country": {"iso_code": code, "names": {"en": code}}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(
        tmp_path / "countries.mmdb",
        {
            "198.51.100.0/24": named("DE"),
            "198.51.101.8/29": named("FR"),
            "2001:db8:1::/48": {"country": "Japan", "country_code": "jp"},
            NOBODYS: {"continent": {"code": "EU"}},
        },
    )


def kept(desk: Desk, **sent: Any) -> Accepted:
    assert desk.send(batch(), **sent).status == 200
    [found] = desk.kept()
    return found


def test_a_batch_says_the_country_of_its_visitor_and_nowhere_the_address(desk: Desk, file: Path) -> None:
    desk.collector = desk.new_collector(country_file=file)
    for _ in range(2):
        for peer, code in ((GERMAN, "DE"), (FRENCH, "FR"), (JAPANESE, "JP"), (NOBODYS, ""), ("nowhere", "")):
            found = kept(desk, peer=peer)
            assert found.country == code
            assert peer not in repr(found)


def test_without_the_setting_there_is_none(desk: Desk) -> None:
    assert kept(desk, peer=GERMAN).country == ""


def test_behind_a_proxy_it_is_that_of_the_last_hop_that_is_believed(desk: Desk, file: Path) -> None:
    desk.collector = desk.new_collector(country_file=file, trusted_proxies=("10.0.0.0/8",))
    forged = {"x-forwarded-for": f"{GERMAN}, {FRENCH}, 10.0.0.2"}
    assert kept(desk, peer="10.0.0.1", headers=forged).country == "FR"
    assert kept(desk, peer=GERMAN, headers={"x-forwarded-for": FRENCH}).country == "DE"


@pytest.mark.parametrize("kind", ["server", "import"])
def test_events_that_no_visitor_sent_have_none(desk: Desk, file: Path, kind: str) -> None:
    desk.collector = desk.new_collector(country_file=file)
    one = {"id": batch()["events"][0]["id"], "type": "custom", "name": "Paid", "time": desk.now / 1_000}
    sent = {"v": 1, "device": "ann", "consent": "full", "events": [one]}
    answer = desk.send(sent, key=desk.keys["shop", kind], peer=GERMAN)
    assert (answer.status, answer.json["accepted"]) == (200, 1)
    assert [found.country for found in desk.kept()] == [""]


def test_neighbours_are_remembered_together_only_where_the_file_says_the_same_of_them(file: Path) -> None:
    countries = Countries(file)
    addresses = {"198.51.101.7": "", FRENCH: "FR", "198.51.101.16": "", "198.51.100.1": "DE", "198.51.100.255": "DE",
                 "::ffff:198.51.100.3": "DE", JAPANESE: "JP", "2001:db8:1:2::7": "JP", "2001:db8:2::1": ""}  # fmt: skip
    for _ in range(2):
        assert {address: countries.find(address) for address in addresses} == addresses


def test_what_is_remembered_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(country, "MAX_REMEMBERED", 3)
    countries = Countries(file)
    assert [countries.find(f"198.51.{third}.7") for third in range(98, 104)] == ["", "", "DE", "", "", ""]
    assert len(countries._atlas._known) <= 3


def test_a_new_file_takes_over_and_a_broken_one_does_not(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    countries = Countries(file)
    assert countries.find(GERMAN) == "DE"
    # In place, as `cp` does it: the pages that are mapped must not go away.
    file.write_bytes(b"no such file")
    countries.reload()
    assert countries.find(GERMAN) == "DE"
    assert countries.find("198.51.101.10") == "FR"
    assert "countries are still those of" in caplog.text
    write(file, {"198.51.100.0/24": named("AT")})
    countries.reload()
    assert (countries.find(GERMAN), countries.find(FRENCH)) == ("AT", "")


def test_what_was_found_while_the_file_was_replaced_does_not_count_as_of_the_new_one(
    desk: Desk, file: Path
) -> None:
    collector = desk.new_collector(country_file=file)
    admissions, countries = collector.capture._admissions, collector._countries
    assert countries is not None
    find = countries.find

    def find_and_be_replaced(address: str) -> str:
        found = find(address)
        write(file, {"198.51.100.0/24": named("AT")})
        countries.reload()
        return found

    def admit() -> Admission:
        return admissions.find(f"k={desk.keys['shop', 'write']}".encode(), {}, [], GERMAN)

    countries.find = find_and_be_replaced  # type: ignore[method-assign]
    first = admit()
    countries.find = find  # type: ignore[method-assign]
    assert (first.sender.country, first.countries is admissions._country_file()) == ("DE", False)
    second = admit()
    assert (second.sender.country, second.countries is admissions._country_file()) == ("AT", True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist"),
        (b"", "is no file in MaxMind's format"),
        (b"x" * 2_000, "is no file in MaxMind's format"),
    ],
)
def test_a_bad_file_is_refused_in_words(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "countries.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        BadCountryFile, match=f"The setting country_file names .*countries.mmdb, which {says}"
    ):
        Countries(path)


def test_a_file_that_knows_no_countries_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "networks.mmdb", {"198.51.100.0/24": {"autonomous_system_number": 64_496}})
    with pytest.raises(BadCountryFile, match="knows no countries"):
        Countries(path)


def test_the_doctor_says_which_file_it_is_and_what_is_wrong_with_it(
    desk: Desk, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPOST_COUNTRY_FILE", str(file))

    def said() -> list[dict[str, Any]]:
        ended = CliRunner().invoke(main, ["doctor", "--data", str(desk.folder.path)])
        return [each for each in json.loads(ended.stdout)["findings"] if each["part"] == "countries"]

    [found] = said()
    assert found["says"].startswith(f"By {file}: Test-Country, made on 20")
    assert not found["is_wrong"]
    file.unlink()
    [found] = said()
    assert (found["is_wrong"], "does not exist" in found["says"]) == (True, True)
