from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from expost.collector.script import Script, hash_of
from expost.collector.service import is_public

from .conftest import Answer


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for suffix in ("", ".br", ".gz"):
        (tmp_path / f"expost.js{suffix}").write_text(f"snippet{suffix}")
    return tmp_path


def ask(
    script: Script,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    path: str = "/expost.js",
) -> Answer:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(script(scope, None, send))  # type: ignore[arg-type]
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


def test_a_pinned_version_is_the_same_for_ever(dist: Path, tmp_path: Path) -> None:
    kept = tmp_path / "scripts"
    pinned = f"/expost-{hash_of(b'snippet')}.js"
    first = Script(dist, kept)
    first.keep()
    first.keep()
    for suffix in ("", ".br", ".gz"):
        (dist / f"expost.js{suffix}").write_text(f"upgraded{suffix}")
    for script in (first, Script(dist, kept)):
        script.keep()
        old = ask(script, {"accept-encoding": "br"}, path=pinned)
        assert (old.status, old.body, old.headers["content-encoding"]) == (200, b"snippet.br", "br")
        assert old.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert old.headers["access-control-allow-origin"] == "*"
        assert ask(script, path=pinned).body == b"snippet"
        assert ask(script, path=f"/expost-{hash_of(b'upgraded')}.js").body == b"upgraded"
    assert sorted(path.suffix for path in kept.iterdir()) == [".br", ".br", ".gz", ".gz", ".js", ".js"]


def test_the_files_that_a_version_loads_later_are_there_as_long_as_it_is(dist: Path, tmp_path: Path) -> None:
    kept = tmp_path / "scripts"
    for suffix in ("", ".br", ".gz"):
        (dist / f"expost-more.js{suffix}").write_text(f"more{suffix}")
    (dist / "expost-vitals.js").write_text("vitals")
    Script(dist, kept).keep()
    for name in ("expost-more.js", "expost-more.js.br", "expost-vitals.js"):
        (dist / name).write_text(f"upgraded {name}")
    script = Script(dist, kept)
    script.keep()
    more = ask(script, {"accept-encoding": "br"}, path=f"/expost-{hash_of(b'more')}.js")
    assert (more.body, more.headers["content-encoding"]) == (b"more.br", "br")
    assert more.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert ask(script, path=f"/expost-{hash_of(b'vitals')}.js").body == b"vitals"
    upgraded = ask(script, path=f"/expost-{hash_of(b'upgraded expost-more.js')}.js")
    assert upgraded.body == b"upgraded expost-more.js"


@pytest.mark.parametrize("suffix", ["", ".br", ".gz"])
def test_a_version_that_was_kept_in_part_is_kept_again(dist: Path, tmp_path: Path, suffix: str) -> None:
    kept = tmp_path / "scripts"
    Script(dist, kept).keep()
    name = f"{hash_of(b'snippet')}.js"
    (kept / f"{name}{suffix}").write_bytes(b"snip"[: 4 * bool(suffix)])
    Script(dist, kept).keep()
    assert (kept / f"{name}{suffix}").read_text() == f"snippet{suffix}"


def test_a_version_that_was_never_served_is_not_there(dist: Path, tmp_path: Path) -> None:
    answer = ask(Script(dist, tmp_path / "scripts"), path="/expost-0123456789abcdef.js")
    assert (answer.status, answer.headers["cache-control"]) == (404, "no-store")


def test_where_nothing_can_be_kept_the_present_version_is_served(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "scripts").write_text("no folder")
    script = Script(dist, tmp_path / "scripts")
    script.keep()
    assert ask(script, path=f"/expost-{hash_of(b'snippet')}.js").body == b"snippet"
    assert ask(script).headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=86400"


@pytest.mark.parametrize("path", ["/e", "/expost.js", "/expost-0123456789abcdef.js"])
def test_anybody_may_ask_for_the_script_and_its_versions(path: str) -> None:
    assert is_public(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/expost-0123456789abcdef.js/", "/expost-0123456789ABCDEF.js", "/expost-/../api.js", "/expost-.js"],
)
def test_nobody_else_gets_in_by_a_name_like_it(path: str) -> None:
    assert not is_public(path)
