"""`expost import`, as people type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import expost
from expost.cli import main
from expost.errors import InvalidInput
from expost.state.audit import audit_lines
from tests.serving import make_site

LOG = "ts,who,what,price\n2026-03-02 10:00,ann,Paid,3\n2026-03-02 11:00,bob,Paid,4\nyesterday,bob,Paid,4\n"


def _expost(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    make_site(tmp_path / "data", keep_months=None)
    (tmp_path / "log.csv").write_text(LOG, "utf-8")
    return tmp_path / "data"


def test_a_table_is_inspected_and_imported_by_the_mapping_that_is_proposed(
    data: Path, tmp_path: Path
) -> None:
    inspected = _expost("import", "inspect", tmp_path / "log.csv")
    assert inspected.exit_code == 0
    (tmp_path / "log.toml").write_text(inspected.stdout, "utf-8")
    answer = _expost("import", "csv", tmp_path / "log.csv", "--mapping", tmp_path / "log.toml", "--data", data,
                     "--rejects", tmp_path / "bad", "--json")  # fmt: skip
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert (report["rows"], report["stored"], report["rejected"]["reasons"]) == (
        3,
        2,
        {"its ts … is no time as ISO … writes it": 1},
    )
    assert report["names"] == {"Paid": 2}
    said = json.loads((tmp_path / "bad").read_text("utf-8"))
    assert (said["row"], said["reason"]) == (4, "its ts 'yesterday' is no time as ISO 8601 writes it")
    assert "time_format" in said["hint"]
    assert report["rejected"]["examples"][0] == {
        name: said[name] for name in ("file", "row", "reason", "hint")
    }
    assert report["samples"][0]["name"] == "Paid"


def test_options_say_the_mapping_too(data: Path, tmp_path: Path) -> None:
    answer = _expost("import", "csv", tmp_path / "log.csv", "--time", "ts", "--user", "who", "--event", "what", "--tz",
                     "Europe/Berlin", "--rejects", tmp_path / "bad", "--data", data, "--json")  # fmt: skip
    assert json.loads(answer.stdout)["time_range"] == [
        "2026-03-02T09:00:00+00:00",
        "2026-03-02T10:00:00+00:00",
    ]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_what_stands_between_cells_the_first_line_says(data: Path, tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "log.csv").write_text(LOG.replace(",", delimiter), "utf-8")
    words = ("import", "csv", tmp_path / "log.csv", "--time", "ts", "--user", "who", "--event", "what",
             "--rejects", tmp_path / "bad", "--data", data, "--json")  # fmt: skip
    assert json.loads(_expost(*words).stdout)["names"] == {"Paid": 2}
    assert "log.csv has no column 'ts'" in _expost(*words, "--delimiter", "/").stderr
    assert "It is one character" in _expost(*words, "--delimiter", ";;").stderr


def test_without_a_mapping_the_refusal_proposes_one(data: Path, tmp_path: Path) -> None:
    answer = _expost("import", "csv", tmp_path / "log.csv", "--data", data)
    assert answer.exit_code == 2
    assert 'time = "ts"' in answer.stderr


def test_a_missing_file_and_an_unknown_site_are_named(data: Path, tmp_path: Path) -> None:
    assert "There is no file" in _expost("import", "mixpanel", tmp_path / "none", "--data", data).stderr
    (tmp_path / "x").write_text("{}")
    assert (
        "no-such" in _expost("import", "mixpanel", tmp_path / "x", "--site", "no-such", "--data", data).stderr
    )


def test_python_imports_what_the_command_does_and_the_audit_says_who(data: Path, tmp_path: Path) -> None:
    lake, log = expost.open(data), tmp_path / "log.csv"
    assert 'time = "ts"' in lake.inspect_table(log).to_toml()
    said: dict[str, Any] = {"time": "ts", "user": "who", "event": "what", "rejects": tmp_path / "bad"}
    planned = lake.import_history("csv", log, dry_run=True, **said)
    assert planned.stored == 2
    assert "import history" not in {each.action for each in audit_lines(lake.analysis.state)}
    told: list[int] = []
    done = lake.import_history("csv", log, progress=lambda report: told.append(report.rows), **said)
    again = lake.import_history("csv", log, **said)
    assert (done.rows, done.stored, done.rejected_rows) == (3, 2, 1)
    assert (again.stored, again.stored_before) == (0, 2)
    assert lake.trend(lake.event("paid", track="Paid")).events == 2
    line = next(each for each in audit_lines(lake.analysis.state) if each.action == "import history")
    assert (line.place, line.subject, line.detail) == ("Python", "shop", "a csv export")


def test_python_refuses_an_import_that_says_too_little_or_too_much(data: Path, tmp_path: Path) -> None:
    lake, log = expost.open(data), tmp_path / "log.csv"
    with pytest.raises(InvalidInput, match="nothing to import"):
        lake.import_history("csv")
    with pytest.raises(InvalidInput, match="no kind of export") as refused:
        lake.import_history("heap", log)
    assert "posthog" in refused.value.hint
    with pytest.raises(InvalidInput, match="has no mapping"):
        lake.import_history("amplitude", log, time="ts")
    with pytest.raises(InvalidInput, match="no mapping that says"):
        lake.import_history("csv", log)
