"""Imports over the API and the pages: for admins, tried before they store, and true whoever is killed."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from expost.access import Access
from expost.app import create_app
from expost.history.runs import Imports
from expost.history.uploads import RESERVED_BYTES
from expost.lake.folder import open_folder
from expost.lake.lock import find_holder
from expost.lake.reader import connect
from expost.settings import Settings
from expost.state.audit import audit_lines
from expost.state.database import State
from expost.ui.desk import PageSite
from tests import doors
from tests.doors import Api
from tests.history.importing import rows_of
from tests.serving import Serving, events_in_lake, make_site

LOG = "ts,who,what\n2026-03-02 10:00,ann,Paid\n2026-03-02 11:00,bob,Paid\nyesterday,bob,<b>Paid\n"
MAPPING = {"time": "ts", "user": "who", "event": "what"}
API = "/api/v1/imports"
USERS = (
    "select u.user, count(distinct event_id) from lake.events join lake.users u using (user_id) group by all"
)


class House:
    """The app over a folder, behind its gate, on this machine and without accounts."""

    def __init__(self, data: Path, max_bytes: int = 1_000_000, free: int = RESERVED_BYTES * 2) -> None:
        make_site(data, keep_months=None)
        folder = open_folder(data)
        self.state = State(folder.state_path)
        self.imports = Imports(folder, self.state, max_bytes, free=lambda _: free)
        self.access = Access(self.state, Settings(data=data))
        site = PageSite("shop", "Shop", "UTC", "<script></script>")
        app = create_app(_nothing, _nothing, lambda: [site], self.access, imports=self.imports)  # type: ignore[arg-type]
        self.client = TestClient(app, "http://127.0.0.1", client=("127.0.0.1", 5), follow_redirects=False)

    def close(self) -> None:
        self.imports.close()
        self.access.close()
        self.state.close()


async def _nothing(*_: Any, **__: Any) -> None:
    raise AssertionError("nothing is asked of it here")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    yield made
    made.close()


def _error(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_the_api_takes_a_file_tries_it_imports_it_and_forgets_it(house: House, tmp_path: Path) -> None:
    client = house.client
    sent = client.post(f"{API}?file=log.csv&site=shop", content=LOG.encode())
    assert sent.status_code == 201
    upload = sent.json()
    assert (upload["kind"], upload["file"], upload["state"]) == ("csv", "log.csv", "uploaded")
    assert 'time = "ts"' in upload["proposal"]["mapping"]
    path = f"{API}/{upload['id']}"
    refused = client.post(f"{path}/run", json={"dry_run": True, "mapping": {"time": "when"}})
    assert _error(refused) == (400, "invalid_input")
    begun = client.post(f"{path}/run", json={"mapping": MAPPING})
    assert (begun.status_code, begun.json()["run"]["dry_run"]) == (202, False)
    house.imports.wait(upload["id"])
    found = client.get(path).json()
    assert (found["state"], found["report"]["stored"], found["report"]["rejected"]["rows"]) == ("done", 2, 1)
    assert "/" not in found["report"]["rejected"]["file"]
    assert json.loads(client.get(f"{path}/rejects").text)["row"] == 4
    assert [each["id"] for each in client.get(API).json()] == [upload["id"]]
    assert client.delete(path).status_code == 204
    assert _error(client.get(path)) == (404, "unknown_import")
    assert client.get(API).json() == []
    assert rows_of(tmp_path / "data", "name, imported") == [("Paid", True)] * 2


def test_a_file_of_which_no_row_can_be_read_is_kept_under_its_id_with_the_reason(house: House) -> None:
    sent = house.client.post(f"{API}?file=junk.bin&kind=csv&site=shop", content=b"\x00\xff" * 1_500)
    assert sent.status_code == 201
    found = house.client.get(f"{API}/{sent.json()['id']}")
    assert found.status_code == 200
    for each in (sent.json(), found.json()):
        assert each["proposal"] is None
        assert each["unreadable"]["code"] == "invalid_input"
        assert each["unreadable"]["hint"]
        assert "/" not in each["unreadable"]["message"]
    assert house.client.delete(f"{API}/{sent.json()['id']}").status_code == 204


def test_what_cannot_be_taken_is_refused_with_its_code(tmp_path: Path) -> None:
    small, full = House(tmp_path / "small", max_bytes=50), House(tmp_path / "full", free=RESERVED_BYTES)
    try:
        assert _error(small.client.post(API, content=LOG.encode())) == (413, "too_large")
        # Without a length it is known only when so much has come.
        assert _error(small.client.post(API, content=iter([LOG.encode()] * 3))) == (413, "too_large")
        assert _error(full.client.post(API, content=LOG.encode())) == (507, "no_room")
        assert _error(small.client.post(API, content=b"")) == (400, "invalid_input")
        assert _error(small.client.post(f"{API}?kind=heap", content=b"x")) == (400, "invalid_input")
        assert _error(small.client.post(f"{API}?site=none", content=b"x")) == (404, "unknown_site")
        assert _error(small.client.post(API, files={"file": ("a.csv", "x")})) == (400, "invalid_input")
        assert _error(small.client.post(f"{API}/0123456789ab/run", json={})) == (404, "unknown_import")
        for each in (small, full):
            assert each.imports.all() == []
            assert not any(each.imports.uploads.folder.imports.glob("*"))
    finally:
        small.close()
        full.close()


def test_whoever_is_no_admin_neither_sends_nor_sees(tmp_path: Path) -> None:
    make_site(tmp_path / "data")
    client = Api(open_folder(tmp_path / "data"), "viewer").client
    for method, path in (
        ("POST", API), ("GET", API), ("GET", f"{API}/x"), ("POST", f"{API}/x/run"), ("POST", f"{API}/x/stop"),
        ("GET", f"{API}/x/rejects"), ("DELETE", f"{API}/x"), ("GET", "/imports"), ("POST", "/imports"),
        ("GET", "/import"), ("POST", "/import"), ("GET", "/import/rejects.ndjson"),
    ):  # fmt: skip
        assert client.request(method, path, json={} if method == "POST" else None).status_code == 403, path
    assert "Import" not in client.get("/sql").text


def test_the_page_shows_what_would_become_of_it_before_anything_is_stored(house: House) -> None:
    client = house.client
    assert "Nothing was uploaded" in client.get("/imports").text
    sent = client.post("/imports", data={"kind": ""}, files={"file": ("lög.csv", LOG)})
    assert sent.status_code == 303
    where = sent.headers["location"]
    shown = client.get(where).text
    assert "Nothing was imported yet" in shown
    assert "time = &#34;ts&#34;" in shown
    id_ = where.split("id=")[1].split("&")[0]
    wrong = client.post(
        "/import", data={"id": id_, "act": "try", "mapping": 'time = "tz"\nuser = "who"\nname = "x"'}
    )
    assert wrong.status_code == 400
    assert "no column &#39;tz&#39;" in wrong.text
    assert "It has: ts, who, what." in wrong.text
    assert "time = &#34;tz&#34;" in wrong.text
    mapping = "\n".join(f'{name} = "{column}"' for name, column in MAPPING.items())
    assert client.post("/import", data={"id": id_, "act": "try", "mapping": mapping}).status_code == 303
    house.imports.wait(id_)
    tried = client.get(where).text
    for said in ("Nothing was stored", "Would be stored", "yesterday", "lög.csv, row 4", "time_format"):
        assert said in tried, said
    assert "<b>Paid" not in tried
    assert [each.action for each in audit_lines(house.state)][:1] == ["upload history"]
    assert (
        client.post("/import", data={"id": id_, "act": "remove"}).headers["location"] == "/imports?site=shop"
    )
    assert "Nothing was uploaded" in client.get("/imports").text


FORM = "multipart/form-data; boundary=x"
FIELD, FILE = 'name="a"', 'name="file"; filename=""'


def _part(said: str, content: bytes) -> bytes:
    return f"--x\r\ncontent-disposition: form-data; {said}\r\n\r\n".encode() + content + b"\r\n"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (FORM, _part(FIELD, b"1") + b"--x--"),
        (FORM, b"no form"),
        ("multipart/form-data", b""),
        ("text/plain", b"x"),
        (FORM, _part(FILE, b"") + b"--x--"),
        (FORM, _part(FIELD, b"y" * 70_000) + _part(FILE, b"z") + b"--x--"),
        (FORM, _part(FIELD, b"y" * 30_000) * 3 + _part(FILE, LOG.encode()) + b"--x--"),
        (FORM, _part(FILE, LOG.encode()) * 2 + b"--x--"),
        (FORM, _part(FILE, LOG.encode())),
    ],
    ids=[
        "no file",
        "no form",
        "no boundary",
        "text",
        "nothing chosen",
        "a field too large",
        "fields too large",
        "two files",
        "no end",
    ],
)
def test_a_form_that_holds_no_whole_file_is_answered_by_the_page_with_a_reason(
    house: House, kind: str, content: bytes
) -> None:
    answered = house.client.post("/imports", headers={"content-type": kind}, content=content)
    assert answered.status_code in (400, 413)
    assert "Upload an export" in answered.text
    assert house.imports.all() == []


def _call(url: str, path: str, data: bytes | None = None, **headers: str) -> Any:
    request = urllib.request.Request(f"{url}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_a_server_that_is_killed_in_the_middle_says_so_and_the_import_goes_on_when_it_is_run_again(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    make_site(data, keep_months=None)
    rows = "".join(
        json.dumps({"event_type": "Step", "event_time": "2026-03-02 10:00:00", "device_id": f"d{number % 50}",
                    "event_id": number, "uuid": f"u{number}"}) + "\n"
        for number in range(25_000)
    )  # fmt: skip
    with Serving(data) as server:
        id_ = _call(server.url, f"{API}?file=a.ndjson", rows.encode())["id"]
        _call(server.url, f"{API}/{id_}/run", b"{}", **{"Content-Type": "application/json"})
        _until(server, id_, lambda found: found["report"] and found["report"]["rows"] >= 10_000)
        server.kill()
        server.start()
        found = _until(server, id_, lambda found: found["state"] != "running")
        assert found["state"] == "interrupted"
        _call(server.url, f"{API}/{id_}/run", b"{}", **{"Content-Type": "application/json"})
        done = _until(server, id_, lambda found: found["state"] != "running")
        assert (done["state"], done["report"]["missing"]) == ("done", 0)
        assert done["report"]["stored"] + done["report"]["duplicates"]["stored_before"] == 25_000
        assert done["report"]["stored"] > 0
    stored = events_in_lake(data)
    assert (len(stored), set(stored.values())) == (25_000, {1})


def test_an_import_ends_when_somebody_is_erased_in_the_middle_and_nothing_of_them_comes_back(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    make_site(data, keep_months=None)
    # So many that it is not over before the erasure is.
    rows = "".join(
        f'{{"event_type":"Step","event_time":"2026-03-02 10:00:00","user_id":"u{number % 50}","uuid":"x{number}"}}\n'
        for number in range(200_000)
    )
    with Serving(data) as server:
        id_ = _call(server.url, f"{API}?file=a.ndjson", rows.encode())["id"]
        _call(server.url, f"{API}/{id_}/run", b"{}", **{"Content-Type": "application/json"})
        _until(server, id_, lambda found: found["report"] and found["report"]["rows"] >= 10_000)
        assert doors.run(data, "erase", "--user", "u7", "--yes").exit_code == 0
        with pytest.raises(urllib.error.HTTPError, match="404"):
            _call(server.url, f"{API}/{id_}")
        _until_no_import(data)
    with connect(data) as connection:
        users = dict(connection.execute(USERS).fetchall())
    assert 0 < users["u8"] < 4_000
    assert "u7" not in users


def _until_no_import(data: Path) -> None:
    until = time.monotonic() + 60
    while find_holder(data / "import.lock") is not None:
        assert time.monotonic() < until
        time.sleep(0.05)


def _until(server: Serving, id_: str, is_so: Any) -> Any:
    until = time.monotonic() + 60
    found = _call(server.url, f"{API}/{id_}")
    while not is_so(found):
        assert time.monotonic() < until, found
        time.sleep(0.05)
        found = _call(server.url, f"{API}/{id_}")
    return found
