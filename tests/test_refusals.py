"""What is refused, at the command line and over HTTP: a code, a sentence that names the thing, and a hint."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from expost.cli import main
from expost.query.analysis import Analysis
from tests.doors import app_over, run


@pytest.fixture(scope="module")
def data(rich_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(rich_shop, tmp_path_factory.mktemp("doors") / "expost-data")


@pytest.fixture(scope="module")
def client(data: Path) -> Iterator[TestClient]:
    with TestClient(app_over(Analysis(data))) as opened:
        yield opened


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


def test_help_and_refusals_wait_for_no_engine():
    script = (
        "import sys, expost.cli\n"
        "try: expost.cli.main(['funnel', 'Signed up', '--data', 'nowhere'])\n"
        "except SystemExit as end: assert end.code == 2\n"
        "assert not {'duckdb', 'polars', 'pyarrow', 'deltalake', 'sqlalchemy', 'rich', 'uvicorn'} & set(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, "no Expost data" in ended.stderr) == (0, True), ended.stderr
