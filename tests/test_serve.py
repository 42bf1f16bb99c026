"""The server as an operator meets it: where it says it is, and what it says when it cannot be."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from expost.clock import wall_clock
from expost.errors import FolderError
from expost.lake.folder import open_folder
from expost.lake.journal import Journal
from expost.lake.sink_life import PRIORITY
from expost.serve import _Server
from expost.settings import Settings
from expost.state.database import State
from expost.state.sites import Site, add_site
from tests.serving import Serving


def expost(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", "from expost.cli import main; main()", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def status_of(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Serving(tmp_path_factory.mktemp("serve") / "data") as running:
        yield running


def test_the_tag_names_the_port_that_the_server_really_has(serving):
    assert expost("sites", "tag", "--data", str(serving.data)).stdout.strip() == serving.tag
    assert serving.url in expost("doctor", "--data", str(serving.data)).stdout


def test_doctor_says_who_may_log_in_and_whether_the_server_is_reached_from_elsewhere(serving):
    told = {
        each["part"]: each["says"]
        for each in json.loads(expost("doctor", "--data", str(serving.data)).stdout)["findings"]
    }
    assert "none, pages answer this machine only" in told["accounts"]
    assert "127.0.0.1" in told["listening"]
    assert "this machine only" in told["listening"]


def test_the_first_start_prints_a_token_that_makes_one_account_from_anywhere(tmp_path):
    with Serving(tmp_path / "data", options=("--host", "0.0.0.0")) as running:
        [said] = [line for line in running.said if "setup token" in line]
        assert any(
            re.search(rf"reach it at http://(?!127\.|0\.)\S+:{running.port}, where .* ask for a login", line)
            for line in running.said
        )
        token = said.split()[-1]
        form = {"token": token, "name": "ann", "password": "four words make one"}
        sent = urllib.parse.urlencode(form).encode()
        assert status_of(f"{running.url}/live")[0] == 200
        made = urllib.request.Request(f"{running.url}/setup-account", sent, method="POST")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(made, timeout=20) as answer:
            assert answer.url.endswith("/account?said=made")
            assert "Logged in as" in answer.read().decode()
        assert status_of(f"{running.url}/api/v1/flags")[0] == 401
        expost("accounts", "remove", "ann", "--yes", "--data", str(running.data))
        assert status_of(f"{running.url}/api/v1/flags")[0] == 200
        doctor = expost("doctor", "--data", str(running.data)).stdout
        assert "reached from beyond this machine" in doctor
    with Serving(tmp_path / "data") as again:
        assert any("setup token" in line for line in again.said)
        assert not any("Other machines" in line for line in again.said)
    actions = [
        each["action"] for each in json.loads(expost("audit", "--data", str(tmp_path / "data")).stdout)
    ]
    assert actions == [
        "setup token made",
        "account removed",
        "logged in",
        "account added",
        "setup token made",
        "write key made",
        "site added",
    ]


def test_the_sink_is_beyond_signals_to_the_servers_group_and_gives_way_to_the_server(serving):
    [sink] = serving.children(b"lake.sink")
    assert os.getpgid(sink) == sink
    until = time.monotonic() + 20
    while os.getpriority(os.PRIO_PROCESS, sink) != os.getpriority(os.PRIO_PROCESS, 0) + PRIORITY:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert os.getsid(sink) == os.getsid(serving.process.pid), "between sessions priorities count for nothing"


def test_the_journal_is_told_how_many_connections_are_busy(tmp_path):
    folder = open_folder(tmp_path / "data", create=True)
    with (
        closing(Journal(folder, wall_clock)) as journal,
        closing(State(folder.state_path)) as state,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        server = _Server(Settings(data=folder.path), folder, listener, journal, state)
        counts = []
        for busy in (0, 2, 1):
            server._door.busy = busy
            counts.append(journal.queue.senders())
        assert counts == [0, 2, 1]


def test_a_second_server_is_told_who_has_the_folder(serving):
    second = expost("serve", "--data", str(serving.data), "--port", "0")
    assert second.returncode == 2
    assert str(serving.process.pid) in second.stderr
    assert "--data" in second.stderr


def test_a_taken_port_is_named_and_leaves_nothing_behind(serving, tmp_path):
    refused = expost("serve", "--data", str(tmp_path / "new"), "--port", str(serving.port))
    assert refused.returncode == 2
    assert str(serving.port) in refused.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_of_somebody_else_is_not_filled(tmp_path):
    (tmp_path / "thesis.tex").write_text("…")
    refused = expost("serve", "--data", str(tmp_path), "--port", "0")
    assert refused.returncode == 2
    assert "thesis.tex" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_settings_may_be_there_before_the_first_start(tmp_path):
    (tmp_path / "expost.toml").write_text("port = 8123\n")
    assert open_folder(tmp_path, create=True).lake.is_dir()


def test_only_its_owner_may_read_the_state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    add_site(state, Site("shop", "Shop"))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    state.close()


def test_a_state_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "state.sqlite"
    State(path).close()
    state = State(path)
    shutil.move(path, tmp_path / "elsewhere")
    path.mkdir()
    with pytest.raises(FolderError, match=r"state\.sqlite cannot be"):
        add_site(state, Site("shop", "Shop"))


def test_a_folder_that_was_deleted_under_the_server_is_said_and_not_traced(tmp_path: Path):
    with Serving(tmp_path / "data") as running:
        # Away at once, whatever the server writes into it meanwhile.
        (tmp_path / "data").rename(tmp_path / "gone")
        shutil.rmtree(tmp_path / "gone", ignore_errors=True)
        for path in ("/live", "/api/v1/flags", "/api/v1/definitions"):
            status, body = status_of(running.url + path)
            assert status == 503, (path, status, body[:500])
            assert "Internal Server Error" not in body
