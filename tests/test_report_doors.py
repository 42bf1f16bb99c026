"""Reports and dashboards by every door: command line, Python and the API."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import expost
from expost.cli import main
from expost.errors import ExpostError, UnknownDefinition
from expost.lake.folder import open_folder
from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.definition import definition
from expost.query.funnel import FunnelAnswer
from expost.query.trend import Trend
from expost.terminal import show
from tests.doors import Api
from tests.serving import make_site
from tests.story import Story, track

FUNNEL = ("funnel", "Looked", "Ordered", "--within", "2h")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people who look; one of them orders."""
    path = tmp_path / "data"
    make_site(path)
    story = Story(path)
    story.capture("ann", track("Looked"), track("Ordered", plan="=pro"), at="10:00")
    story.capture("bob", track("Looked"), at="10:00")
    analysis = Analysis(story.path)
    for name in ("Looked", "Ordered"):
        analysis.define(definition(name, track=name))
    analysis.close()
    return path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--data", str(folder)])


def said(folder: Path, *words: str) -> str:
    result = run(folder, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def printed(folder: Path, *words: str) -> Any:
    return json.loads(said(folder, *words))


def people(answer: Any) -> list[int]:
    return [step["people"] for step in answer["steps"]]


def test_a_question_is_kept_by_its_own_command_and_asked_by_name(folder):
    kept = run(folder, *FUNNEL, "--save", "Checkout")
    assert "Checkout is version 1: funnel of Looked, Ordered (within 2h)" in kept.stderr
    assert people(json.loads(kept.stdout)) == [2, 1]
    assert people(printed(folder, "report", "checkout")) == [2, 1]
    assert people(printed(folder, "report", "checkout", "--to", "2026-01-01")) == [0, 0]
    assert people(printed(folder, "report", "checkout", "--last", "1d")) == [0, 0]
    run(folder, *FUNNEL, "--order", "any", "--pin", "--save", "Checkout")
    shown = printed(folder, "reports", "show", "Checkout")
    assert [each["version"] for each in shown["versions"]] == [1, 2]
    assert shown["definitions"] == ["Looked@1", "Ordered@1"]
    assert printed(folder, "reports", "rollback", "Checkout", "1")["version"] == 3
    told = printed(folder, "reports", "describe", "Checkout", "--owner", "growth", "--tag", "a", "--tag", "b")
    assert (told["owner"], told["tags"]) == ("growth", ["a", "b"])
    assert [each["name"] for each in printed(folder, "reports")] == ["Checkout"]
    assert printed(folder, "definitions", "archive", "Ordered")["reports"] == ["Checkout"]
    printed(folder, "reports", "archive", "Checkout")
    assert printed(folder, "reports") == []
    assert [each["name"] for each in printed(folder, "reports", "--archived")] == ["Checkout"]
    printed(folder, "reports", "unarchive", "Checkout")
    assert people(printed(folder, "report", "Checkout")) == [2, 1]


def test_a_list_of_sessions_is_kept_at_every_door_and_travels_as_a_file(folder, tmp_path):
    kept = run(
        folder, "sessions", "--did", "Ordered", "--order", "longest", "--limit", "1", "--save", "Visits"
    )
    assert "Visits is version 1: sessions of Ordered (order longest; limit 1)" in kept.stderr
    listed = json.loads(kept.stdout)["sessions"]
    assert printed(folder, "report", "Visits")["sessions"] == listed
    client = Api(open_folder(folder), "editor").client
    assert client.get("/api/v1/reports/Visits/answer").json()["sessions"] == listed
    said = {"kind": "sessions", "did": ["Ordered"], "order": "longest", "limit": 1}
    assert client.put("/api/v1/reports/Visits", json=said).json()["version"] == 1
    lake = expost.open(folder)
    assert lake.save_report("Visits", lake.sessions(did="Ordered", order="longest", limit=1)).version == 1
    run(folder, "reports", "export", str(tmp_path))
    assert '[sessions]\ndid = ["Ordered"]' in (tmp_path / "visits.toml").read_text()
    assert printed(folder, "reports", "diff", str(tmp_path))["summary"]["same"] == 1
    assert "A report is about everybody" in run(folder, "sessions", "--person", "ann", "--save", "X").stderr
    assert "--sample" not in run(folder, "sessions", "--help").output


def test_what_is_no_question_of_its_own_is_not_kept(folder):
    refused = run(folder, *FUNNEL, "--people", "1", "--save", "X")
    assert (refused.exit_code, "are not kept" in refused.stderr) == (2, True)
    assert "--save NAME as well" in run(folder, *FUNNEL, "--pin").stderr
    assert "'Nowhere'" in run(folder, "trend", "Nowhere", "--save", "X").stderr
    assert printed(folder, "reports") == []
    assert "Did you mean" not in run(folder, "report", "X").stderr


def test_a_dashboard_answers_each_of_its_reports_or_says_why_not(folder):
    printed(folder, *FUNNEL, "--save", "Checkout")
    printed(folder, "trend", "Ordered", "--save", "Orders", "--from", "2026-03-01", "--to", "2026-03-10")
    saved = printed(
        folder, "dashboards", "save", "Weekly", "Checkout", "Orders", "--time-zone", "Europe/Berlin"
    )
    assert (saved["reports"], saved["over"]) == (["Checkout", "Orders"], {"time_zone": ["Europe/Berlin"]})
    one, other = printed(folder, "dashboard", "weekly")["reports"]
    assert people(one["answer"]) == [2, 1]
    assert (other["answer"]["events"], other["answer"]["time_zone"]) == (1, "Europe/Berlin")
    one, other = printed(folder, "dashboard", "weekly", "--to", "2026-03-01")["reports"]
    assert (people(one["answer"]), other["answer"]["events"]) == ([0, 0], 0)
    # Of the first nothing is left to compare with; the other one is answered.
    printed(folder, "trend", "Ordered", "--last", "3d", "--compare", "previous", "--save", "Orders")
    first, second = printed(folder, "dashboard", "weekly", "--from", "2026-03-01")["reports"]
    assert people(first["answer"]) == [2, 1]
    assert "needs a range" in second["error"]["message"]
    assert [each["name"] for each in printed(folder, "dashboards")] == ["Weekly"]


def test_reports_travel_as_files(folder, tmp_path):
    printed(folder, *FUNNEL, "--save", "Checkout")
    [written] = printed(folder, "reports", "export", str(tmp_path / "files"))
    file = tmp_path / "files" / written["file"]
    file.write_text(file.read_text().replace('within = "2h"', 'within = "1d"  # a day'))
    assert printed(folder, "reports", "diff", str(file.parent))["reports"][0]["kind"] == "changed"
    refused = run(folder, "reports", "apply", str(file.parent))
    assert (refused.exit_code, "nobody is here" in refused.stderr) == (2, True)
    assert printed(folder, "reports", "apply", str(file.parent), "--yes")["is_applied"]
    assert printed(folder, "reports", "show", "Checkout")["fields"]["within"] == ["1d"]
    assert printed(folder, "dashboards", "export", str(tmp_path / "boards")) == []


def test_every_answer_goes_out_as_csv_and_parquet(folder, tmp_path):
    lines = said(folder, "trend", "Ordered", "--by", "property:plan", "--csv").splitlines()
    assert lines[0] == "kind,value,start,events,people,measured"
    # What a visitor wrote is no formula.
    assert any(line.startswith("value,'=pro,2026-03-02") for line in lines)
    for ending in ("csv", "json", "parquet"):
        assert said(folder, *FUNNEL, "--out", str(tmp_path / f"funnel.{ending}")) == ""
    assert (tmp_path / "funnel.csv").read_text().startswith("kind,value,step,name,people")
    assert people(json.loads((tmp_path / "funnel.json").read_text())) == [2, 1]
    table = pyarrow.parquet.read_table(tmp_path / "funnel.parquet").to_pydict()
    assert (table["name"], table["people"]) == (["Looked", "Ordered"], [2, 1])
    said(folder, "sql", "select 1 as a where false", "--out", str(tmp_path / "none.parquet"))
    assert pyarrow.parquet.read_table(tmp_path / "none.parquet").column_names == ["a"]
    assert "no ending" in run(folder, *FUNNEL, "--out", str(tmp_path / "funnel.txt")).stderr
    printed(folder, *FUNNEL, "--save", "Checkout")
    assert said(folder, "report", "Checkout", "--csv").count("\n") == 3


def test_python_keeps_the_question_of_an_answer(folder):
    lake = expost.open(folder)
    saved = lake.save_report("Checkout", lake.funnel("Looked", "Ordered", within="2h"), note="Ours")
    assert (saved.version, saved.details.note) == (1, "Ours")
    answer: Answer | ExpostError = lake.report("Checkout", start=date(2026, 3, 1))
    assert isinstance(answer, FunnelAnswer)
    assert [step.people for step in answer.steps] == [2, 1]
    assert answer.people(2).total == 1
    assert [each.name for each in lake.reports()] == ["Checkout"]
    lake.save_dashboard("Weekly", ["Checkout"], last="7d")
    with pytest.raises(
        ExpostError, match="'now' is said when one question is asked, and not over a dashboard"
    ):
        lake.dashboard("Weekly", now=datetime(2026, 3, 1, tzinfo=UTC))
    [board] = lake.dashboards()
    assert board.over == {"last": ["7d"]}
    [(name, answer)] = lake.dashboard("Weekly").items()
    assert isinstance(answer, FunnelAnswer)
    assert (name, [step.people for step in answer.steps]) == ("Checkout", [0, 0])
    with pytest.raises(UnknownDefinition):
        lake.save_report("X", Trend("Nowhere"))


def test_the_api_keeps_and_asks_with_the_same_words(folder):
    client = Api(open_folder(folder), "editor").client
    body = {"kind": "funnel", "step": ["Looked", "Ordered"], "within": "2h", "pin": True}
    saved = client.put("/api/v1/reports/Check out", json=body).json()
    assert (saved["version"], saved["definitions"]) == (1, ["Looked@1", "Ordered@1"])
    path = "/api/v1/reports/Check%20out"
    assert people(client.get(f"{path}/answer").json()) == [2, 1]
    assert people(client.get(f"{path}/answer", params={"last": "1d", "version": 1}).json()) == [0, 0]
    client.put(path, json=body | {"within": "1d", "pin": False})
    shown = client.get(path).json()
    assert ([each["version"] for each in shown["versions"]], shown["name"]) == ([1, 2], "Check out")
    assert client.patch(path, json={"owner": "growth", "tags": ["a"]}).json()["owner"] == "growth"
    assert client.post(f"{path}/rollback", json={"version": 1}).json()["version"] == 3
    told = client.patch("/api/v1/definitions/Looked", json={"archived": True}).json()
    assert (told["archived"], told["reports"]) == (True, ["Check out"])
    client.put("/api/v1/dashboards/Weekly", json={"reports": ["Check out"], "last": "7d"})
    [part] = client.get("/api/v1/dashboards/weekly/answer", params={"from": "2026-03-01"}).json()["reports"]
    assert (part["name"], people(part["answer"])) == ("Check out", [2, 1])
    assert [each["name"] for each in client.get("/api/v1/dashboards").json()] == ["Weekly"]
    assert client.get("/api/v1/reports", params={"archived": "yes"}).json() == []
    for wrong, code, word in (
        ({"kind": "pie"}, "invalid_input", "'pie'"),
        ({"kind": "trend"}, "invalid_input", "needs a definition"),
        ({"kind": "trend", "nam": "Looked"}, "invalid_input", "'nam'"),
        ({"kind": "trend", "name": "Nowhere"}, "unknown_definition", "'Nowhere'"),
    ):
        error = client.put("/api/v1/reports/X", json=wrong).json()["error"]
        assert (error["code"], word in error["message"]) == (code, True), error
    assert client.get("/api/v1/reports/X").json()["error"]["code"] == "unknown_report"
    assert client.get("/api/v1/dashboards/X/answer").json()["error"]["code"] == "unknown_dashboard"
    assert client.get(f"{path}/answer", params={"step": "Looked"}).status_code == 400


def test_every_route_that_answers_has_its_rows_as_csv_and_parquet(folder):
    client = Api(open_folder(folder), "viewer").client
    asked: dict[str, Any] = {"params": {"step": ["Looked", "Ordered"]}}
    csv = client.get("/api/v1/funnel", headers={"Accept": "text/csv"}, **asked)
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.text.splitlines()[1].startswith("total,,1,Looked,2")
    parquet = client.get("/api/v1/funnel", headers={"Accept": "application/vnd.apache.parquet"}, **asked)
    assert pyarrow.parquet.read_table(io.BytesIO(parquet.content)).num_rows == 2
    assert people(client.get("/api/v1/funnel", headers={"Accept": "*/*"}, **asked).json()) == [2, 1]
    sql = {"json": {"query": "select 1 as a"}, "headers": {"Accept": "text/csv"}}
    assert client.post("/api/v1/sql", **sql).text == "a\r\n1\r\n"
    refused = client.get("/api/v1/funnel", headers={"Accept": "text/csv"})
    assert refused.json()["error"]["code"] == "invalid_input"


def test_ids_are_reconciled_by_every_door_alike(folder, tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text("number,plan\r\n1,=pro\r\n2,free\r\n", encoding="utf-8-sig")
    printed(folder, *FUNNEL, "--save", "Checkout")
    printed(folder, "trend", "Looked", "--save", "Looks")
    words = ("reconcile", "Checkout", "--ids", str(file), "--property", "plan")
    answer = printed(folder, *words)
    assert [(each["id"], each["cause"]) for each in answer["ids"]] == [
        ("=pro", "counted"),
        ("free", "never_captured"),
    ]
    assert (answer["counted"], answer["people"], answer["unlisted"]) == (1, 1, 0)
    read = "Read column 'plan' of orders.csv, 2 ids; the first line names the columns."
    assert answer["notes"][0] == read
    steps = ("--step", "Looked", "--step", "Ordered", "--within", "2h")
    assert printed(folder, "reconcile", *steps, *words[2:])["ids"] == answer["ids"]
    assert printed(folder, *words, "--column", "number")["causes"][0]["cause"] == "never_captured"
    assert "no column 'total'" in run(folder, *words, "--column", "total").stderr
    assert "no funnel" in run(folder, "reconcile", "Looks", *words[2:]).stderr
    assert said(folder, *words, "--csv").splitlines()[1].startswith("'=pro,counted,,")
    lake = expost.open(folder)
    funnel = lake.funnel("Looked", "Ordered", within="2h")
    for of in ("Checkout", funnel):
        assert [each.cause for each in lake.reconcile(of, ["=pro", "free"], property="plan").ids] == [
            "counted", "never_captured",
        ]  # fmt: skip
    client = Api(open_folder(folder), "viewer").client
    body = {"report": "Checkout", "ids": ["=pro", "free", "free"], "property": "plan"}
    assert client.post("/api/v1/reconcile", json=body).json()["ids"] == answer["ids"]
    assert (
        client.post("/api/v1/reconcile", json={"report": "Checkout"}).json()["error"]["code"]
        == "invalid_input"
    )
    shown = io.StringIO()
    console = Console(width=150, file=shown)
    show(console, lake.reconcile("Checkout", ["=pro", "free"], property="plan"))
    assert "1 of 2 ids are counted; the last step counts 1 people, 0 of whom no id names." in shown.getvalue()


def test_the_first_line_of_a_csv_is_a_heading_and_that_of_a_list_is_an_id(folder, tmp_path):
    steps = ("--step", "Looked", "--step", "Ordered", "--within", "2h")

    def read(name: str, text: str, *words: str) -> tuple[list[str], str]:
        (tmp_path / name).write_text(text)
        answer = printed(folder, "reconcile", *steps, "--ids", str(tmp_path / name), *words)
        return [each["id"] for each in answer["ids"]], answer["notes"][0]

    ids, note = read("orders.CSV", "email,total\nmember-9c,3\n")
    assert ids == ["member-9c"]
    assert note == "Read column 'email' of orders.CSV, 1 id; the first line names the columns."
    ids, note = read("german.csv", 'order;email;total\n7;"member;9c";9,50\n', "--column", "email")
    assert ids == ["member;9c"]
    assert note == "Read column 'email' of german.csv, 1 id; the first line names the columns."
    assert read("tabs.csv", "email\ttotal\nmember-9c\t3\n")[0] == ["member-9c"]
    assert read("ids.txt", "member;9c\nmember;9d\n")[0] == ["member;9c", "member;9d"]
    ids, note = read("ids.txt", "member-9c\nmember-9d\n")
    assert ids == ["member-9c", "member-9d"]
    assert not note.startswith("Read column")
    assert read("named.txt", "email\nann\n", "--column", "email")[0] == ["ann"]
    (tmp_path / "bare.csv").write_text("member-9c\n")
    refused = run(folder, "reconcile", *steps, "--ids", str(tmp_path / "bare.csv"))
    assert "no id below the heading 'member-9c'" in refused.stderr
    piped = ["reconcile", *steps, "--ids", "-", "--data", str(folder)]
    answer = json.loads(CliRunner().invoke(main, piped, input="ann\nbob\n").stdout)
    assert [each["id"] for each in answer["ids"]] == ["ann", "bob"]
