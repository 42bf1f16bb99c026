"""The examples of docs/server-events.md do what the page says, against a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

import expost
from expost.errors import FolderError
from expost.ids import ZERO_UUID
from tests.serving import Serving, make_key, make_site

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "server-events.md").read_text("utf-8")
ALL_TAKEN = {"duplicates": 0, "rejected": []}


def example(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("server-events") / "data"
    make_site(data)
    return data


@pytest.fixture(scope="module")
def key(data: Path) -> str:
    return make_key(data, "server")


@pytest.fixture(scope="module")
def serving(data: Path, key: str) -> Iterator[Serving]:
    # The key is there before the server is, which looks for new ones a few times a second.
    assert key
    with Serving(data) as serving:
        yield serving


def run(serving: Serving, key: str, *command: str) -> str:
    environment = os.environ | {"EXPOST_URL": serving.url, "EXPOST_KEY": key}
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stored(serving: Serving, columns: str, where: str, count: int) -> list[tuple[Any, ...]]:
    """These columns of the events that are meant, once there are so many."""
    until = time.monotonic() + 15
    rows: list[tuple[Any, ...]] = []
    while len(rows) < count and time.monotonic() < until:
        time.sleep(0.3)
        try:
            answer = expost.open(serving.data).sql(f"select {columns} from events where {where} order by all")
        except FolderError:
            continue  # before the first commit there are no tables
        rows = [tuple(row) for row in answer.values]
    return rows


def test_curl(serving: Serving, key: str) -> None:
    answer = run(serving, key, "sh", "-c", example("sh"))
    assert json.loads(answer) == {"accepted": 1} | ALL_TAKEN
    columns = '"user", source, is_bot, page_id, page_seq, properties'
    assert stored(serving, columns, "name = 'Invoice paid'", 1) == [
        ("ann@shop.example", "server", False, ZERO_UUID, 0, '{"amount":12.5}')
    ]


def test_python(serving: Serving, key: str) -> None:
    answer = run(serving, key, sys.executable, "-c", example("python"))
    assert answer.splitlines() == [str({"accepted": count} | ALL_TAKEN) for count in (4, 1)]
    where = "\"user\" = 'ann@shop.example' and name is distinct from 'Invoice paid'"
    assert stored(serving, "type, source", where, 4) == [
        (kind, "server") for kind in ("custom", "exposure", "group", "identify")
    ]
    assert stored(serving, 'device, "user", consent', "name = 'Export finished'", 1) == [
        ("0199c6f4-2f6e-7000-8000-000000000001", None, "full")
    ]


def test_node(serving: Serving, key: str, tmp_path: Path) -> None:
    program = tmp_path / "send.mjs"
    program.write_text(example("js"), "utf-8")
    answer = run(serving, key, str(ROOT / ".ci" / "with-node"), "node", str(program))
    assert answer.strip() == "{ accepted: 4, duplicates: 0, rejected: [] }"
    assert stored(serving, "type, flag, variation", "\"user\" = 'bob@shop.example'", 4) == [
        ("custom", None, None),
        ("exposure", "new-invoice", "off"),
        ("group", None, None),
        ("identify", None, None),
    ]


def test_what_is_sent_again_is_stored_once(serving: Serving, key: str) -> None:
    for properties in ({"attempt": 1}, {"attempt": 2}):
        event = {
            "id": "2f1d6c1e-92a5-4a52-9d53-6f1c9be3a7b0",
            "time": time.time() * 1_000,
            "type": "custom",
            "name": "Renewed",
            "properties": properties,
        }
        body = json.dumps({"v": 1, "events": [event]}).encode()
        with urlopen(Request(f"{serving.url}/e?k={key}", body), timeout=10) as answer:
            assert answer.status == 204
        assert stored(serving, "properties", "name = 'Renewed'", 1) == [('{"attempt":1}',)]
    event = {"id": "2f1d6c1e-92a5-4a52-9d53-6f1c9be3a7b1", "time": time.time() * 1_000, "type": "custom"}
    body = json.dumps({"v": 1, "events": [event | {"name": "After"}]}).encode()
    urlopen(Request(f"{serving.url}/e?k={key}", body), timeout=10).close()
    assert len(stored(serving, "event_id", "name = 'After'", 1)) == 1
    assert stored(serving, "properties", "name = 'Renewed'", 1) == [('{"attempt":1}',)]
