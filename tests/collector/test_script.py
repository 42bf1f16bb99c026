from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from expost.collector.script import Script

from .conftest import Answer


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for suffix in ("", ".br", ".gz"):
        (tmp_path / f"expost.js{suffix}").write_text(f"snippet{suffix}")
    return tmp_path


def ask(script: Script, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    asyncio.run(script({"type": "http", "method": method, "headers": raw}, None, send))  # type: ignore[arg-type]
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], names, sent[1]["body"])


@pytest.mark.parametrize(
    ("accepted", "body", "encoding"),
    [
        ("gzip, deflate, br, zstd", b"snippet.br", "br"),
        ("gzip", b"snippet.gz", "gzip"),
        ("br;q=0, gzip;q=0.5", b"snippet.gz", "gzip"),
        ("", b"snippet", None),
        ("identity", b"snippet", None),
    ],
)
def test_the_smallest_form_that_the_browser_takes(
    dist: Path, accepted: str, body: bytes, encoding: str | None
) -> None:
    answer = ask(Script(dist), {"accept-encoding": accepted})
    assert (answer.status, answer.body, answer.headers.get("content-encoding")) == (200, body, encoding)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"] == "accept-encoding"


def test_a_browser_that_has_it_gets_304_until_it_changes(dist: Path) -> None:
    script = Script(dist)
    etag = ask(script).headers["etag"]
    for known in (etag, f'"x", W/{etag}', "*"):
        again = ask(script, {"if-none-match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert ask(script, {"if-none-match": etag, "accept-encoding": "br"}).status == 200
    (dist / "expost.js").write_text("a newer snippet")
    assert ask(script, {"if-none-match": etag}).body == b"a newer snippet"


def test_head_and_other_methods(dist: Path) -> None:
    head = ask(Script(dist), method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "7")
    assert ask(Script(dist), method="POST").status == 405


def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    answer = ask(Script(tmp_path))
    assert answer.status == 404
    assert b"npm run build" in answer.body
