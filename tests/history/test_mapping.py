"""Mappings: what they say, what they refuse, and what is proposed for a table."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expost.errors import InvalidInput
from expost.history.foreign import Unusable, moment_of
from expost.history.mapping import MappedReader, guess_shape, mapping_of, read_mapping, write_mapping
from expost.history.proposal import proposal
from expost.history.sources import mapped_source, mapping_for
from expost.history.time_columns import guess_format


def _event(row, **said):
    (found,) = MappedReader(mapping_of({"time": "at", "event": "what", "user": "who"} | said))(row)
    return found


def test_columns_become_fields_and_all_others_properties_with_their_types() -> None:
    found = _event(
        {
            "at": "2026-03-02 12:00",
            "what": "Paid",
            "who": "ann",
            "price": "12.50",
            "zip": "01234",
            "n": "3",
            "x": "",
        }
    )
    assert (found.name, found.type, found.user, found.device) == ("Paid", "custom", "ann", "")
    assert found.properties == {"price": 12.5, "zip": "01234", "n": 3}


def test_columns_of_text_stay_text_and_dropped_ones_are_gone() -> None:
    found = _event(
        {"at": "2026-03-02", "what": "Paid", "who": "1", "zip": "12345", "ip": "192.0.2.1"},
        text="zip",
        drop=["ip"],
    )
    assert found.properties == {"zip": "12345"}


def test_names_may_mean_types_of_ours() -> None:
    row = {"at": "2026-03-02", "what": "home", "who": "ann", "page": "https://shop.example/"}
    found = _event(row, types={"home": "page_view"}, url="page")
    assert (found.type, found.name, found.url, found.properties) == (
        "page_view",
        None,
        "https://shop.example/",
        {},
    )


def test_traits_come_from_rows_that_identify() -> None:
    found = _event(
        {"at": "2026-03-02", "what": "login", "who": "ann", "plan": "pro"}, types={"login": "identify"}
    )
    assert (found.type, found.traits, found.properties) == ("identify", {"plan": "pro"}, {})


def test_a_row_is_told_apart_by_its_id_or_by_all_that_it_says() -> None:
    row = {"at": "2026-03-02", "what": "Paid", "who": "ann", "order": "7", "line": "1"}
    other = row | {"line": "2"}
    assert _event(row).key != _event(other).key
    assert _event(row, id="order").key == _event(other, id="order").key
    assert _event(row, id=["order", "line"]).key != _event(other, id=["order", "line"]).key
    with pytest.raises(Unusable, match="no ref"):
        _event(row, id="ref")


def test_times_without_a_zone_are_in_that_of_the_mapping() -> None:
    berlin = _event({"at": "2026-07-02 12:00", "what": "a", "who": "b"}, time_zone="Europe/Berlin")
    assert berlin.time == moment_of("2026-07-02T10:00:00Z")
    day = _event({"at": "20260702", "what": "a", "who": "b"}, time_format="%Y%m%d")
    assert day.time == moment_of("2026-07-02T00:00:00Z")


@pytest.mark.parametrize(
    "said",
    [
        {"tyme": "at"}, {"time": 3}, {"id": 3}, {"types": {"a": "hover"}}, {"types": "a"},
        {"time": ""}, {"event": "", "name": ""}, {"user": ""}, {"repeats": "never"}, {"time_zone": "Mars"},
    ],
)  # fmt: skip
def test_a_mapping_that_says_nothing_or_too_much_is_refused(said) -> None:
    with pytest.raises(InvalidInput):
        MappedReader(mapping_of({"time": "at", "event": "what", "user": "who"} | said))


def test_a_mapping_is_written_as_it_is_read(tmp_path: Path) -> None:
    mapping = mapping_of(
        {"time": "at", "name": "Paid", "id": ["a", "b"], "types": {"x": "page_view"}, "delimiter": "\t"}
    )
    path = tmp_path / "mapping.toml"
    path.write_text(write_mapping(mapping), "utf-8")
    assert read_mapping(path) == mapping
    path.write_text("time = ", "utf-8")
    with pytest.raises(InvalidInput, match="no TOML"):
        read_mapping(path)


def test_a_look_at_a_table_proposes_its_mapping(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "event_id;customer_id;ip_address;ts;action\n1;ann;192.0.2.1;1772442000;Paid\n2;bob;x;1772442001;Paid\n",
        "utf-8",
    )
    found = proposal(path)
    assert guess_shape(path).delimiter == ";"
    mapping = found.mapping
    assert (mapping.time, mapping.time_format, mapping.user, mapping.event, mapping.id, mapping.drop) == (
        ("ts",), "seconds", "customer_id", "action", ("event_id",), ("ip_address",),
    )  # fmt: skip
    path.with_suffix(".toml").write_text(found.to_toml(), "utf-8")
    assert read_mapping(path.with_suffix(".toml")) == mapping
    with pytest.raises(InvalidInput, match="customer_id"):
        mapping_for([path], None, {})


def test_german_headings_and_days_with_dots_are_known(tmp_path: Path) -> None:
    path = tmp_path / "bestellungen.csv"
    path.write_text(
        "Datum;Kunde;Ereignis\n02.03.2026 10:00;ann;Bestellt\n31.12.2025 23:59;bob;Bestellt\n", "utf-8"
    )
    mapping = proposal(path).mapping
    assert (mapping.time, mapping.time_format, mapping.user, mapping.event) == (
        ("Datum",), "%d.%m.%Y %H:%M", "Kunde", "Ereignis",
    )  # fmt: skip
    assert guess_format(["02.03.2026", "03.03.2026"]) == "%d.%m.%Y"
    assert guess_format(["02.03.2026 10:00:01", "2026-03-02"]) == "iso"


def test_what_was_not_found_stands_in_the_proposal_as_lines_to_fill_in(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("bought;what\n3/2/2026;Paid\n3/4/2026;Paid\n", "utf-8")
    text = proposal(path).to_toml()
    assert '# time = "COLUMN"\n# time_format = "%m/%d/%Y"\n' in text
    assert '# user = "COLUMN"' in text
    filled = text.replace('# time = "COLUMN"', 'time = "bought"').replace("# time_format", "time_format")
    path.with_suffix(".toml").write_text(filled.replace('# user = "COLUMN"', 'user = "what"'), "utf-8")
    assert read_mapping(path.with_suffix(".toml")).time_format == "%m/%d/%Y"
    assert proposal(path).to_json()["mapping"] in text


def test_of_parquet_a_proposal_says_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"ts": ["2026-03-02 10:00"], "user": ["ann"], "event": ["Paid"]}), path)
    assert "delimiter" not in proposal(path).to_toml()
    assert proposal(path).missing == []


def test_a_column_of_times_is_found_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "n,bought,customer,what\n20260301,2026-03-02 10:00,ann,Paid\n20260302,2026-03-02 11:00,bob,Paid\n"
    )
    mapping = proposal(path).mapping
    assert (mapping.time, mapping.time_format, mapping.user, mapping.event) == (
        ("bought",),
        "iso",
        "customer",
        "what",
    )


def test_formats_of_times_are_seen_from_their_values() -> None:
    assert guess_format(["19970101", ""]) == "%Y%m%d"
    assert guess_format(["1772442000.5"]) == "seconds"
    assert guess_format([1772442000000]) == "milliseconds"
    assert guess_format(["2026-03-02T10:00:00Z", "1772442000"]) == "iso"


def test_a_column_that_a_table_lacks_is_refused_before_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("ts,user_id,what\n2026-03-02,ann,Paid\n", "utf-8")
    said = {"time": "ts", "user": "usr_id", "event": "what"}
    with pytest.raises(
        InvalidInput, match=r"log.csv has no column 'usr_id', which the mapping names as its user"
    ) as no:
        mapped_source("csv", [path], mapping_of(said))
    assert no.value.hint == "Did you mean 'user_id'?"
    for wrong in ({"id": ["ts", "order"]}, {"properties": ["colour"]}, {"url": "page"}):
        with pytest.raises(InvalidInput, match="has no column"):
            mapped_source("csv", [path], mapping_of(said | {"user": "user_id"} | wrong))
    # What is left out or stays text anyway may be missing.
    mapped_source("csv", [path], mapping_of(said | {"user": "user_id", "drop": ["ip"], "text": ["zip"]}))


def test_headings_of_any_kind_stay_in_the_comments_of_a_proposal(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('ts,"bad\n[types]\nx",größe\n1772442000,a,"b\nc"\n', "utf-8")
    path.with_suffix(".toml").write_text(proposal(path).to_toml(), "utf-8")
    assert read_mapping(path.with_suffix(".toml")).types == {}
    assert "# größe: b�c" in proposal(path).to_toml()


def test_decimals_of_a_warehouse_are_the_numbers_that_they_stand_for() -> None:
    row = {
        "at": Decimal(1_772_442_000),
        "what": "Paid",
        "who": Decimal("17.00"),
        "price": Decimal("9.50"),
        "n": Decimal(3),
    }
    found = _event(row, time_format="seconds")
    assert (found.time, found.user, found.properties) == (1_772_442_000_000_000, "17", {"price": 9.5, "n": 3})
    assert _event(row | {"who": Decimal("NaN")}, time_format="seconds").user == "nan"


def _table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("heads", [("Datum", "Uhrzeit"), ("Time", "Date"), ("ts", "hour")])
def test_a_day_and_its_time_in_two_columns_are_proposed_together(tmp_path: Path, heads) -> None:
    values = ("24.10.2026", "02:30") if heads[0] != "Time" else ("02:30", "24.10.2026")
    row = f"{values[0]};{values[1]};ann;Paid"
    found = proposal(_table(tmp_path, f"{heads[0]};{heads[1]};Kunde;Ereignis", row, row))
    day_first = heads if heads[0] != "Time" else heads[::-1]
    assert (found.mapping.time, found.mapping.time_format) == (day_first, "%d.%m.%Y %H:%M")
    assert found.doubts == []
    path = tmp_path / "log.toml"
    path.write_text(found.to_toml(), "utf-8")
    (event,) = MappedReader(read_mapping(path))(
        dict(zip((*heads, "Kunde", "Ereignis"), row.split(";"), strict=True))
    )
    assert (event.time, event.properties) == (moment_of("2026-10-24 02:30"), {})


def test_a_day_without_its_time_of_day_is_rejected_and_is_no_midnight() -> None:
    with pytest.raises(Unusable, match="no day with clock"):
        _event({"day": "2026-10-24", "clock": "", "what": "a", "who": "b"}, time=["day", "clock"])
    with pytest.raises(Unusable, match=r"its day with clock '32.13.2026 02:30' is no time"):
        _event({"day": "32.13.2026", "clock": "02:30", "what": "a", "who": "b"}, time=["day", "clock"])


def test_days_alone_beside_what_may_be_their_times_are_said(tmp_path: Path) -> None:
    path = _table(tmp_path, "day,who,what,lasted", "2026-10-24,ann,Paid,00:30", "2026-10-25,bob,Paid,00:10")
    found = proposal(path)
    assert found.mapping.time == ("day",)
    assert "# day has days alone" in found.to_toml()
    assert 'time = ["day", "lasted"]' in found.to_toml()


@pytest.mark.parametrize(("day", "clock"), [("20261024", "0230"), ("2026-10-24", "023015")])
def test_a_time_of_day_without_colons_is_taken_where_no_digit_can_be_missing(tmp_path, day, clock) -> None:
    found = proposal(_table(tmp_path, "Datum;Uhrzeit;Kunde", f"{day};{clock};ann", f"{day};2359;bob"))
    assert (found.mapping.time, found.mapping.time_format, found.doubts) == (("Datum", "Uhrzeit"), "iso", [])
    [event] = MappedReader(found.mapping)({"Datum": day, "Uhrzeit": clock, "Kunde": "ann"})
    assert event.time == moment_of(f"2026-10-24 02:30:{clock[4:] or '00'}")


@pytest.mark.parametrize(
    ("head", "row", "parts"),
    [
        ("Datum;Uhrzeit;Kunde", "20261024;230;ann", "Uhrzeit"),
        ("Datum;Uhrzeit;Kunde", "24.10.2026;0230;ann", "Uhrzeit"),
        ("Tag;Std;Min;Kunde", "24.10.2026;2;30;ann", "Std and Min"),
    ],
)
def test_what_may_be_the_time_of_day_and_is_not_taken_is_said(tmp_path: Path, head, row, parts) -> None:
    found = proposal(_table(tmp_path, head, row, row))
    [day, *_] = head.split(";")
    assert found.mapping.time == (day,)
    assert found.doubts == [
        f"{day} has days alone, so that every event is at midnight. {parts} may say the time of day: "
        "left out, since an import takes it from one column that writes it such as 02:30"
    ]


GERMAN = "Datum;Größe;Kunde\n2026-10-24 10:00;1;Jürgen\n2026-10-24 10:01;2;Ann\n"


@pytest.mark.parametrize(
    ("content", "cause", "hint"),
    [
        (GERMAN.encode("latin-1"), "The first row of log.csv cannot be read: it is not UTF-8: byte 9 is 0xf6.",
         "iconv -f WINDOWS-1252"),
        (GERMAN.encode("utf-16-le"), "log.csv is no UTF-8, and seems to be UTF-16 without a byte order mark.",
         "iconv -f UTF-16LE"),
        (b"", "log.csv is empty.", "Export it again"),
        (b"\xef\xbb\xbf", "log.csv is empty but for a byte order mark.", "Export it again"),
        (b"time,who\n", "log.csv has names of columns at most, and no row below.", "one event a line"),
        (b"time,who\n1,\xfc\n", "No row of log.csv can be read: it is not UTF-8: byte 3 is 0xfc.", "iconv"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_looked_at_is_refused_by_its_cause(
    tmp_path: Path, content, cause, hint
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        proposal(path)
    assert str(refused.value) == cause
    assert hint in refused.value.hint


def test_rows_that_cannot_be_read_among_others_are_said(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(GERMAN.replace("Größe", "Menge").encode("latin-1"))
    [said] = proposal(path).doubts
    assert said == (
        "1 of the first rows cannot be read, and will be rejected. The first is row 2: it is not UTF-8: byte 21 is "
        "0xfc. Save the table as UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
    )


def test_a_bad_day_among_the_first_rows_leaves_the_format_of_the_others_and_is_said(tmp_path: Path) -> None:
    path = _table(
        tmp_path, "Datum;Kunde;Ereignis", "24.10.2026;ann;a", "32.13.2026;ann;a", ";ann;a", "1.1.2026;ann;a"
    )
    found = proposal(path)
    assert found.mapping.time_format == "%d.%m.%Y"
    said = "# 2 of the first 4 times are not of this format, and will be rejected: row 3 (32.13.2026), row 4 (nothing)"
    assert said in found.to_toml()
    assert found.to_json()["mapping"].startswith(said)
    slashes = proposal(_table(tmp_path, "date,who,what", "10/24/2026,ann,a", "10/25/2026,ann,a"))
    assert slashes.doubts == [
        'None of the first 2 times is as time_format = "iso" has it: row 2 (10/24/2026), row 3 (10/25/2026)'
    ]


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (["20261024", "nope", "20261025"], "%Y%m%d"),
        (["1772442000", "1772442001", "n/a"], "seconds"),
        (["1772442000", "1772442001", "1772442002000"], "seconds"),
        (["0", "0", "1772442000000"], "milliseconds"),
        (["20261024 02:30", "20261024 02:31"], "iso"),
        (["2026-10-24 02:30", "02.03.2026", ""], "iso"),
        ([], "iso"),
    ],
)  # fmt: skip
def test_the_format_is_that_of_most_times(times, form) -> None:
    assert guess_format(times) == form
