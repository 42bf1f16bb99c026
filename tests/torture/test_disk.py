"""A real server on a disk that takes nothing more: it refuses, goes on answering, heals by itself, and lost nothing."""

from __future__ import annotations

import json
import resource
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from expost.clock import wall_clock
from expost.ids import uuid7
from expost.lake.folder import open_folder
from tests.serving import Serving, events_in_lake, make_site


class Client:
    """Sends single server events and remembers which were acknowledged."""

    def __init__(self, server: Serving, key: str) -> None:
        self._server = server
        self._key = key
        self.acknowledged: set[str] = set()

    def post(self) -> tuple[int, str | None]:
        now = wall_clock()
        event = {"id": uuid7(now), "type": "page_view", "t": 0, "seq": 1}
        batch = {
            "v": 1, "page": {"id": uuid7(now), "start": now / 1_000}, "device": "disk-tester", "consent": "full",
            "views": [{"url": "http://127.0.0.1/"}], "descriptors": [], "elements": [], "events": [event],
            "sent_at": now / 1_000,
        }  # fmt: skip
        status, retry = self._ask("POST", f"/e?k={self._key}", json.dumps(batch))
        if status == 204:
            self.acknowledged.add(str(event["id"]))
        return status, retry

    def page(self) -> int:
        return self._ask("GET", "/live")[0]

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str | None]:
        connection = HTTPConnection("127.0.0.1", self._server.port, timeout=20)
        try:
            connection.request(method, path, body, {"Content-Type": "text/plain", "Host": "127.0.0.1"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("Retry-After")
        finally:
            connection.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[Serving, Client]]:
    data = tmp_path / "data"
    key = make_site(data, count_bots=True)
    with Serving(data) as server:
        yield server, Client(server, key)


def test_a_full_disk_is_answered_with_503_and_heals_by_itself(serving: tuple[Serving, Client]) -> None:
    server, client = serving
    assert server.process is not None
    pid = server.process.pid
    assert client.post()[0] == 204
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    # As good as full: no file may grow any more.
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
    status, retry = client.post()
    assert status == 503
    assert retry is not None
    assert int(retry) > 0
    assert client.page() == 200
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
    until(lambda: client.post()[0] == 204)
    stored = events_in_lake(server.data, client.acknowledged, 30)
    assert client.acknowledged - stored.keys() == set()
    assert set(stored.values()) == {1}


def test_a_journal_that_is_gone_is_answered_with_503_and_comes_back(serving: tuple[Serving, Client]) -> None:
    server, client = serving
    assert client.post()[0] == 204
    journal = open_folder(server.data).journal
    aside = journal.with_name("aside")
    journal.rename(aside)
    until(lambda: client.post()[0] == 503)
    assert server.process is not None
    assert server.process.poll() is None
    aside.rename(journal)
    until(lambda: client.post()[0] == 204)
    # What was acknowledged while the folder had another name went into the same files.
    stored = events_in_lake(server.data, client.acknowledged, 30)
    assert client.acknowledged - stored.keys() == set()
    assert set(stored.values()) == {1}


def test_a_folder_that_is_deleted_ends_nothing(serving: tuple[Serving, Client]) -> None:
    server, client = serving
    assert client.post()[0] == 204
    shutil.rmtree(server.data, ignore_errors=True)
    until(lambda: client.post()[0] == 503)
    assert server.process is not None
    assert server.process.poll() is None
    # Loud: whoever watches it sees it, and the log says why.
    with pytest.raises(urllib.error.HTTPError) as answered:
        urllib.request.urlopen(f"{server.url}/health", timeout=10)
    said = json.loads(answered.value.read())["error"]
    assert (answered.value.code, said["code"], "state.sqlite" in said["message"]) == (503, "folder", True)
    until(lambda: any("does not take data" in line for line in server.said))
