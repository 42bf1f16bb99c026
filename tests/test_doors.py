"""The same answer through every door: Python, the command line, the HTTP API and the pages' twins."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

import expost
from expost.access import Access
from expost.app import create_inside
from expost.cli import main
from expost.clock import wall_clock
from expost.errors import InvalidInput
from expost.query.analysis import Analysis
from expost.settings import Settings
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site, change_site
from expost.ui.desk import PageSite
from tests.story import Story, small_rich_lake

# The moment of asking and how long it took are not the answer.
PASSING = ("elapsed_ms", "now", "parameters")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    story = small_rich_lake(Story(tmp_path_factory.mktemp("doors") / "expost-data"))
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    add_key(state, "shop", "write", wall_clock)
    state.close()
    lake = expost.open(story.path)
    lake.define("Viewed page", view="/**")
    lake.define("Bought", click="form.cart button.buy")
    return story.path


@pytest.fixture(scope="module")
def client(data: Path) -> Iterator[TestClient]:
    analysis = Analysis(data)

    async def call(method: str, *arguments: Any, **named: Any) -> Any:
        return getattr(analysis, method)(*arguments, **named)

    access = Access(analysis.state, Settings())
    app = create_inside(call, lambda: [PageSite("shop", "Shop", "UTC", "<script></script>")], access)
    with TestClient(app) as opened:
        yield opened


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(data)])


def printed(data: Path, *arguments: str) -> Any:
    result = run(data, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def lasting(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in PASSING}


FUNNEL = ("funnel", "Viewed page", "Bought", "--within", "7d", "--by", "flag:new-checkout")
RETENTION = (
    "retention",
    "--start-event",
    "Bought",
    "--return-event",
    "Viewed page",
    "--period",
    "week",
    "--periods",
    "2",
)
EVENT = "019cadfd-98a0-7000-8000-000000000007"
"""Ann's click on "Buy now"."""
TREND = ("trend", "Bought", "--period", "day", "--by", "flag:new-checkout")


@pytest.mark.parametrize(
    ("command", "path", "ask"),
    [
        (FUNNEL, "/funnel?step=Viewed page&step=Bought&within=7d&by=flag:new-checkout",
         lambda lake: lake.funnel("Viewed page", "Bought", within="7 days", by=expost.flag("new-checkout"))),
        (RETENTION, "/retention?start_event=Bought&return_event=Viewed page&period=week&periods=2",
         lambda lake: lake.retention("Bought", "Viewed page", period="week", periods=2)),
        (TREND, "/trend?name=Bought&period=day&by=flag:new-checkout",
         lambda lake: lake.trend("Bought", period="day", by="flag:new-checkout")),
        (("trend", "Viewed page", "--measure", "per_person", "--per", "Bought"),
         "/trend?name=Viewed page&measure=per_person&per=Bought",
         lambda lake: lake.trend("Viewed page", measure="per_person", per="Bought")),
        (("stickiness", "Viewed page", "--period", "week"), "/stickiness?name=Viewed page&period=week",
         lambda lake: lake.stickiness("Viewed page", period="week")),
        (("lifecycle", "Viewed page", "--unit", "device"), "/lifecycle?name=Viewed page&unit=device",
         lambda lake: lake.lifecycle("Viewed page", unit="device")),
        (("paths", "Bought", "--direction", "before", "--group", "/**", "--event", "Bought", "--gap", "1h"),
         "/paths?name=Bought&direction=before&group=/**&event=Bought&gap=1h",
         lambda lake: lake.paths("Bought", direction="before", groups=["/**"], events=["Bought"], gap="1h")),
        (("unnamed", "--limit", "5", "--from", "2026-03-01"), "/unnamed?limit=5&from=2026-03-01",
         lambda lake: lake.unnamed(5, start=date(2026, 3, 1))),
        (("suggest", EVENT), f"/suggestions?event={EVENT}", lambda lake: lake.suggest(EVENT)),
        (("suggest", EVENT, "--level", "1"), f"/suggestions?event={EVENT}&level=1",
         lambda lake: lake.suggest(EVENT, level=1)),
        (("preview", "--click", "form.cart button.buy"), "/preview?click=form.cart button.buy",
         lambda lake: lake.preview(lake.event("preview", click="form.cart button.buy"))),
        (("preview", "Bought"), "/preview?name=Bought", lambda lake: lake.preview("Bought")),
        (("preview", "--on", "click form.cart button.buy"), "/preview?on=click form.cart button.buy",
         lambda lake: lake.preview(lake.event("preview", on="click form.cart button.buy"))),
        (("losses", "--by", "page"), "/losses?by=page", lambda lake: lake.losses(by="page")),
        (("losses", "--from", "2026-03-02"), "/losses?from=2026-03-02",
         lambda lake: lake.losses(start=date(2026, 3, 2))),
        (("rejected", "--limit", "5"), "/rejected?limit=5", lambda lake: lake.rejected(limit=5)),
        (("flags",), "/flags", lambda lake: lake.flags()),
        (("trend", "Bought", "--internal", "yes", "--environment", "production", "--environment", "staging"),
         "/trend?name=Bought&internal=yes&environment=production&environment=staging",
         lambda lake: lake.trend("Bought", internal=True, environment=("production", "staging"))),
    ],
)  # fmt: skip
def test_every_door_gives_the_same_answer(data, client, command, path, ask):
    in_python = lasting(ask(expost.open(data)).to_json())
    assert in_python["sql"].startswith(("with", "create", "--", "select"))
    assert lasting(printed(data, *command)) == in_python
    over_http = client.get(f"/api/v1{path}")
    assert over_http.status_code == 200, over_http.text
    assert lasting(over_http.json()) == in_python
    if command[0] in ("funnel", "retention", "trend", "losses", "rejected", "unnamed"):
        twin = client.get(path.replace("?", ".json?", 1))
        assert lasting(twin.json()) == in_python


def test_the_funnel_by_variation_has_the_promised_shape(data):
    answer = printed(data, *FUNNEL)
    assert [step["name"] for step in answer["steps"]] == ["Viewed page", "Bought"]
    # Ann, Bob and Cyd; the crawler, the colleague and the tester are left out.
    assert [step["people"] for step in answer["steps"]] == [3, 2]
    groups = {
        (group["kind"], group["value"]): [s["people"] for s in group["steps"]] for group in answer["groups"]
    }
    assert groups["variation", "control"] == [1, 1]
    assert groups["variation", "treatment"] == [1, 1]
    assert groups["not exposed", None] == [1, 0]
    assert {each["reason"]: each["events"] for each in answer["left_out"] if each["events"]}


def test_the_people_of_a_step_open_with_the_events_that_decided(data):
    answer = expost.open(data).funnel("Viewed page", "Bought")
    people = answer.people(step=2)
    assert people.total == 2
    assert {person.name for person in people.people} == {"ann@shop.example", "bob@shop.example"}
    assert all(
        [event.step for event in person.events] == ["Viewed page", "Bought"] for person in people.people
    )
    assert answer.to_polars()["people"].to_list() == [3, 2]


def test_python_previews_conditions_like_define(data):
    lake = expost.open(data)
    by_conditions = lake.preview(click="form.cart button.buy", bots=True)
    assert by_conditions.events == lake.preview("Bought", bots=True).events == 2
    for asked in (lambda: lake.preview("Bought", click="a"), lambda: lake.preview()):
        with pytest.raises(InvalidInput):
            asked()


def test_a_window_without_a_unit_is_refused_in_python_too(data):
    with pytest.raises(InvalidInput, match="7") as refused:
        expost.open(data).funnel("Viewed page", "Bought", within=7)  # type: ignore[arg-type]
    assert "7 days" in refused.value.hint


def test_a_cohort_is_saved_asked_and_forgotten_over_http_and_on_the_command_line(data, client):
    saved = client.put(
        "/api/v1/cohorts/Buyers", json={"did": ["Bought"], "times": ["1"], "did_not": ["Viewed page"]}
    )
    assert saved.status_code == 200, saved.text
    assert saved.json()["meaning"] == "did 'Bought', did not 'Viewed page'"
    assert client.put("/api/v1/cohorts/X", json={}).json()["error"]["code"] == "invalid_input"
    assert (
        client.put("/api/v1/cohorts/X", json={"did": ["Bougt"]}).json()["error"]["code"]
        == "unknown_definition"
    )
    again = run(data, "cohorts", "save", "Buyers", "--did", "Bought", "--json")
    assert json.loads(again.stdout)["version"] == 2
    assert [each["name"] for each in client.get("/api/v1/cohorts").json()] == ["Buyers"]
    size = client.get("/api/v1/cohorts/Buyers").json()
    assert size["people"] == printed(data, "cohorts", "show", "Buyers")["people"] == 2
    asked = client.get("/api/v1/trend?name=Viewed page&cohort=Buyers").json()
    assert asked["people"] == printed(data, "trend", "Viewed page", "--cohort", "Buyers")["people"] == 2
    assert "would go" in run(data, "cohorts", "remove", "Buyers").stdout
    assert client.delete("/api/v1/cohorts/Buyers").status_code == 200
    assert client.get("/api/v1/cohorts/Buyers").json()["error"]["code"] == "unknown_cohort"
    assert run(data, "cohorts", "remove", "Buyers", "--yes").exit_code == 2


def test_the_door_shows_its_public_names_only():
    assert dir(expost) == ["Lake", "did", "flag", "open", "stage"]
    assert all(callable(getattr(expost, name)) for name in dir(expost))


def test_rows_of_sql_are_a_list(data):
    rows = printed(data, "sql", "select type, count(*) as n from events group by 1 order by 1")
    assert {row["type"]: row["n"] for row in rows}["page_view"] == 9
    assert printed(data, "sql", "select count(*) as n from people") == [{"n": 6}]
    assert printed(data, "sql", "select count(*) > 5 as some from elements") == [{"some": True}]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("preview", "--click", "a:hover"), "selector_refused", ":hover"),
        (("preview", "--click", '[style*="red"]'), "selector_refused", "style"),
        (("funnel", "Viewed page", "Boughtt"), "unknown_definition", "Bought"),
        (("funnel", "Viewed page", "--within", "7"), "invalid_input", "7d"),
        (("trend", "Bought", "--site", "shpo"), "unknown_site", "shop"),
        (("sql", "drop table lake.events"), "invalid_input", "SELECT"),
        (("sql", "select * from read_csv('/etc/hostname')"), "invalid_input", ""),
        (("retention", "--start-event", "Bought", "--by", "planet:mars"), "invalid_input", "property:plan"),
        (("losses", "--site", "shpo"), "unknown_site", "shop"),
    ],
)
def test_a_refusal_names_the_thing_and_the_next_step(data, arguments, code, says):
    result = run(data, *arguments, "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["code"] == code
    assert says in result.stderr
    assert result.stderr.startswith("expost: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("trend", "Bought", "--bots", "maybe"), "'maybe' is not one of"),
        (("funnel",), "Missing argument 'STEPS...'"),
        (("define", "-x"), "No such option"),
        (("nosuch",), "No such command 'nosuch'"),
        (("--nosuch",), "No such option"),
        (("sites", "keys", "--new", "x"), "'x' is not one of"),
    ],
)
def test_what_cannot_be_typed_is_refused_as_json_too(arguments, says):
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert (error["code"], says in error["message"], "--help" in error["hint"]) == (
        "invalid_input",
        True,
        True,
    )
    assert "Usage: " in result.stderr
    assert CliRunner().invoke(main, arguments).stdout == ""


def test_a_refused_selector_is_drawn_with_a_caret(data):
    result = run(data, "preview", "--click", "a:hover")
    lines = result.stderr.splitlines()
    assert "    a:hover" in lines
    assert lines[lines.index("    a:hover") + 1] == "     ^"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/preview?click=a:hover", 400, "selector_refused"),
        ("/api/v1/funnel?step=Nobody", 404, "unknown_definition"),
        ("/api/v1/funnel?stpe=Bought", 400, "invalid_input"),
        ("/api/v1/live?latest=0", 400, "invalid_input"),
        ("/api/v1/events/nothing", 404, "unknown_name"),
    ],
)
def test_the_api_answers_errors_in_one_shape(client, path, status, code):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"]["hint"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "no_such_address"),
        ("POST", "/live", 405, "wrong_method"),
        ("GET", "/api/v1/nope", 404, "no_such_address"),
        ("DELETE", "/api/v1/flags", 405, "wrong_method"),
    ],
)
def test_what_nothing_answers_is_said_in_the_same_shape_and_to_browsers_as_a_page(
    client, method, path, status, code
):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert path in answer.json()["error"]["message"]
    assert ("allow" in answer.headers) == (status == 405)
    in_browser = client.request(method, path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert in_browser.status_code == status
    is_page = in_browser.headers["content-type"].startswith("text/html")
    assert is_page != path.startswith("/api/")
    if is_page:
        assert path in in_browser.text
        assert "content-security-policy" in in_browser.headers


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"content": '{"click": "a"}', "headers": {"Content-Type": "text/plain"}}, "came with text/plain"),
        ({"content": "{"}, "no JSON"),
        ({}, "JSON object"),
        ({"json": {"click": 7}}, "click"),
        ({"json": {"clack": "a"}}, "clack"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_what_is_wrong(client, sent, says):
    if "content" in sent:
        sent = {"headers": {"Content-Type": "application/json"}} | sent
    answer = client.put("/api/v1/definitions/T1", **sent)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def test_only_saved_definitions_are_links(client):
    unsaved = client.get("/define", params={"click": "form.cart button.buy"}).text
    assert "not saved" in unsaved
    assert "/definition?name=preview" not in unsaved
    assert "/definition?name=Bought" in client.get("/trend", params={"name": "Bought"}).text


def test_one_selector_need_not_be_a_list(client):
    saved = client.put("/api/v1/definitions/T1", json={"click": "button"})
    assert saved.json()["alternatives"] == [{"types": ["click"], "selector": "button"}]


def test_a_definition_over_the_api_makes_versions(client):
    first = client.put("/api/v1/definitions/Paid", json={"track": ["Paid"]}).json()
    same = client.put("/api/v1/definitions/Paid", json={"track": ["Paid"]}).json()
    other = client.put("/api/v1/definitions/Paid", json={"track": ["Paid", "Paid later"]}).json()
    assert [first["version"], same["version"], other["version"]] == [1, 1, 2]
    assert {each["name"]: each["version"] for each in client.get("/api/v1/definitions").json()}["Paid"] == 2


def test_the_doctor_finds_a_healthy_folder_healthy_and_names_what_is_missing(data, tmp_path):
    well = run(data, "doctor", "--json")
    assert well.exit_code == 0, well.output
    told = json.loads(well.stdout)
    assert not [finding for finding in told["findings"] if finding["is_wrong"] or "hint" in finding]
    assert {"setting": "port", "value": "8000", "from": "default"} in told["settings"]
    [metered] = [finding["says"] for finding in told["findings"] if finding["part"] == "losses"]
    assert metered.startswith("shop, last 7 days: ")
    assert "events whose placement is missing: 0" in [finding["says"] for finding in told["findings"]]

    story = Story(tmp_path / "broken")
    small_rich_lake(story).store()
    next((story.path / "lake" / "events").glob("*.parquet")).unlink()
    ill = run(story.path, "doctor", "--json")
    assert ill.exit_code == 1
    assert any(
        "missing" in finding["says"] for finding in json.loads(ill.stdout)["findings"] if finding["is_wrong"]
    )


def test_the_loss_meter_is_a_view_beside_the_others(data):
    rows = json.loads(run(data, "sql", "select * from losses", "--json").stdout)
    assert len(rows) == 9
    told = {(row["missing"], row["missing_pages"], row["is_exact"]) for row in rows}
    assert told == {(0, 0, False)}
    assert "losses" in run(data, "sql", "select * from loss").stderr


def test_sites_are_made_changed_and_keyed_on_the_command_line(tmp_path):
    data = tmp_path / "data"
    made = run(data, "sites", "add", "My shop", "--time-zone", "Europe/Berlin")
    assert made.exit_code == 0
    assert '<script async src="http://127.0.0.1:8000/expost.js" data-key="xw_' in made.stdout
    assert run(data, "sites", "tag").stdout.strip() in made.stdout
    changed = json.loads(run(data, "sites", "change", "my-shop", "--origin", "https://shop.example/x").stdout)
    assert changed["origins"] == ["https://shop.example"]
    key = json.loads(run(data, "sites", "keys", "--new", "import", "--json").stdout)
    listed = json.loads(run(data, "sites", "keys", "--json").stdout)
    assert [each["kind"] for each in listed] == ["write", "import"]
    assert key["key"] not in json.dumps(listed)
    revoked = json.loads(run(data, "sites", "keys", "--revoke", key["prefix"], "--json").stdout)
    assert revoked["revoked_at"]


def test_what_a_sites_numbers_count_is_given_changed_and_listed_on_the_command_line(tmp_path):
    data = tmp_path / "data"
    assert run(data, "sites", "add", "Shop").exit_code == 0
    assert run(data, "sites", "add", "Blog", "--count-internal", "--environment", "all").exit_code == 0

    def listed() -> dict[str, tuple[bool, list[str]]]:
        found = json.loads(run(data, "sites", "list").stdout)
        return {each["site"]: (each["count_internal"], each["environments"]) for each in found}

    assert listed() == {"shop": (False, ["production"]), "blog": (True, ["all"])}
    changed = run(data, "sites", "change", "blog", "--leave-internal-out", "--environment", "production",
                  "--environment", "staging")  # fmt: skip
    assert json.loads(changed.stdout)["environments"] == ["production", "staging"]
    run(data, "sites", "change", "blog", "--name", "Weblog")
    assert listed()["blog"] == (False, ["production", "staging"])
    refused = run(data, "sites", "change", "blog", "--environment", "all", "--environment", "staging")
    assert (refused.exit_code, "say 'all' alone" in refused.stderr) == (2, True)


def test_what_a_site_counts_is_counted_through_every_door_unless_the_question_says_otherwise(tmp_path):
    story = small_rich_lake(Story(tmp_path / "data"))
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    preview = ("preview", "--view", "/**")
    expected = printed(story.path, *preview)["people"]
    because = {
        "bots": "the site leaves out bots",
        "environment": "the site leaves out environments other than 'production'",
        "internal": "the site leaves out internal devices",
    }
    answer = printed(story.path, *preview)
    assert {each["reason"]: each["because"] for each in answer["left_out"]} == because

    change_site(state, "shop", count_internal=True, environments=())
    state.close()
    answer = printed(story.path, *preview)
    assert (answer["people"], [each["reason"] for each in answer["left_out"]]) == (expected + 2, ["bots"])
    assert answer["notes"] == [
        "Internal devices count, because the site says so.",
        "All environments count, because the site says so.",
    ]
    asked = printed(story.path, *preview, "--internal", "no", "--environment", "production")
    assert asked["people"] == expected
    assert {each["reason"]: each["because"] for each in asked["left_out"]} == {
        "bots": "the site leaves out bots",
        "environment": "the question leaves out environments other than 'production'",
        "internal": "the question leaves out internal devices",
    }


def test_with_two_sites_one_is_named_and_the_hint_says_how(tmp_path):
    data = tmp_path / "data"
    for name in ("Shop", "Blog"):
        run(data, "sites", "add", name)
    for command in ("tag", "keys"):
        refused = run(data, "sites", command, "--json") if command == "keys" else run(data, "sites", command)
        assert refused.exit_code == 2
        assert "Name one of: shop, blog (--site, or site= over HTTP and in Python)." in refused.stderr
        by_option = run(data, "sites", command, "--site", "blog")
        assert by_option.exit_code == 0
        assert by_option.stdout == run(data, "sites", command, "blog").stdout
        assert run(data, "sites", command, "shop", "--site", "blog").exit_code == 2


def test_help_and_refusals_wait_for_no_engine():
    script = (
        "import sys, expost.cli\n"
        "try: expost.cli.main(['funnel', 'Signed up', '--data', 'nowhere'])\n"
        "except SystemExit as end: assert end.code == 2\n"
        "assert not {'duckdb', 'polars', 'pyarrow', 'deltalake', 'sqlalchemy', 'rich', 'uvicorn'} & set(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, "no Expost data" in ended.stderr) == (0, True), ended.stderr


def test_definitions_go_to_files_and_come_back_on_the_command_line(data: Path, tmp_path: Path) -> None:
    at = ["--data", str(data), "--json"]
    folder = str(tmp_path / "definitions")
    assert CliRunner().invoke(main, ["define", "Filed", "--track", "Filed", *at]).exit_code == 0
    exported = CliRunner().invoke(main, ["definitions", "export", folder, *at])
    assert "filed.toml" in [each["file"] for each in json.loads(exported.stdout)]
    file = Path(folder, "filed.toml")
    file.write_text(file.read_text().replace('event_name = "Filed"', 'event_name = "Kept"'))
    [changed] = [
        each
        for each in json.loads(CliRunner().invoke(main, ["definitions", "diff", folder, *at]).stdout)[
            "definitions"
        ]
        if each["kind"] != "same"
    ]
    assert changed["lines"] == ["- custom event Filed", "+ custom event Kept"]
    asked = CliRunner().invoke(main, ["definitions", "apply", folder, *at])
    assert asked.exit_code == 2
    assert "--yes" in asked.stderr
    done = json.loads(CliRunner().invoke(main, ["definitions", "apply", folder, "--yes", *at]).stdout)
    assert done["is_applied"]
    CliRunner().invoke(main, ["definitions", "rollback", "Filed", "1", *at])
    compared = json.loads(CliRunner().invoke(main, ["definitions", "diff", "Filed", "1", "2", *at]).stdout)
    assert (compared["old_meaning"], compared["new_meaning"]) == ("custom event Filed", "custom event Kept")
    CliRunner().invoke(main, ["definitions", "describe", "Filed", "--owner", "ann", "--tag", "x", *at])
    CliRunner().invoke(main, ["definitions", "archive", "Filed", *at])
    shown = json.loads(CliRunner().invoke(main, ["definitions", "show", "Filed", *at]).stdout)
    assert [each["meaning"] for each in shown["versions"]] == [
        "custom event Filed",
        "custom event Kept",
        "custom event Filed",
    ]
    assert (shown["owner"], shown["tags"], shown["archived"]) == ("ann", ["x"], True)
    listed = json.loads(CliRunner().invoke(main, ["definitions", *at]).stdout)
    assert "Filed" not in [each["name"] for each in listed]
    CliRunner().invoke(main, ["definitions", "unarchive", "Filed", *at])
    listed = json.loads(CliRunner().invoke(main, ["definitions", *at]).stdout)
    assert "Filed" in [each["name"] for each in listed]


def test_a_definition_is_described_rolled_back_and_compared_over_http(client: TestClient) -> None:
    path = "/api/v1/definitions/Rolled"
    client.put(path, json={"track": "Paid"})
    client.put(path, json={"track": "Other", "valid_from": "2026-03-01"})
    assert client.patch(path, json={"owner": "ann", "tags": ["x"]}).json()["owner"] == "ann"
    assert client.post(f"{path}/rollback", json={"version": 1}).json()["version"] == 3
    shown = client.get(path).json()
    assert (shown["owner"], shown["tags"], len(shown["versions"])) == ("ann", ["x"], 3)
    assert shown["versions"][1]["valid_from"] == "2026-03-01T00:00:00Z"
    compared = client.get("/api/v1/difference", params={"name": "Rolled", "old": 2, "new": 3}).json()
    assert [each["side"] for each in compared["sides"]] == ["only_old", "only_new", "both", "unknown"]
    assert client.patch(path, json={"archived": True}).json()["archived"]
    listed = client.get("/api/v1/definitions").json()
    assert "Rolled" not in [each["name"] for each in listed]
    listed = client.get("/api/v1/definitions", params={"archived": True}).json()
    assert "Rolled" in [each["name"] for each in listed]
    refused = client.get("/api/v1/difference", params={"name": "Rolled"})
    assert refused.status_code == 400
    assert "two of its versions" in refused.json()["error"]["message"]


def test_versions_are_compared_and_gone_back_to_on_the_pages(client: TestClient) -> None:
    said = {"name": "Paged", "click": "form.cart button.buy"}
    client.post("/definitions", data=said)
    client.post("/definitions", data=said | {"click": "form.cart button", "valid_from": "2026-03-01"})
    page = client.get("/definition?name=Paged").text
    assert "from 1 Mar 2026" in page
    compared = client.get("/definition/difference?name=Paged&old=1&new=2")
    assert compared.status_code == 200
    assert "Only version 1" in compared.text
    client.post("/definition/rollback", data={"name": "Paged", "version": "1"})
    client.post("/definition/details", data={"name": "Paged", "owner": "ann", "tags": "x, y", "note": ""})
    body = client.get("/api/v1/definitions/Paged").json()
    assert (len(body["versions"]), body["owner"], body["tags"]) == (3, "ann", ["x", "y"])
    client.post("/definition/details", data={"name": "Paged", "archived": "yes"})
    assert "Paged" in client.get("/definitions?archived=yes").text
