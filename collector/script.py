"""`GET /expost.js`: the built snippet, in the smallest form that the browser takes.

`/expost-<hash>.js` is one version of it, or of a file that it loads later. A page that pins a version names its hash
and gets these bytes for ever, and so does a snippet that names the files it was built with: each version that was
served is kept in the data folder, so that an upgrade takes no page's script away.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from hashlib import blake2b, sha256
from importlib.resources import files
from pathlib import Path

from starlette.types import Receive, Scope, Send

from expost.lake.disk import write_synced

from .sightings import Sightings

log = logging.getLogger("expost.collector")

NAME = "expost.js"
LATER = ("expost-more.js", "expost-vitals.js", "expost-definer.js")
"""Files that the snippet loads by their hash, where the tag asks for what is in them."""

PINNED = re.compile(r"/expost-([0-9a-f]{16})\.js\Z")
HASH_DIGITS = 16
ENCODINGS = (("br", ".br"), ("gzip", ".gz"), ("", ""))
"""The best first."""

MAX_AGE_SECONDS = 3_600
"""How long browsers use it without asking. A new version reaches every page within this time, or at the visit after."""

CHANGING = b"public, max-age=%d, stale-while-revalidate=86400" % MAX_AGE_SECONDS
IMMUTABLE = b"public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Form:
    """The snippet in one encoding."""

    body: bytes
    etag: bytes
    encoding: str
    modified: tuple[int, int]


class Script:
    """The ASGI function for `/expost.js` and for the versions of it, which are kept in `kept`."""

    def __init__(
        self, folder: Path | None = None, kept: Path | None = None, sightings: Sightings | None = None
    ) -> None:
        self._folder = folder or Path(str(files("expost.snippet") / "dist"))
        self._kept = kept
        self._forms: dict[Path, Form] = {}
        self._sightings = sightings or Sightings()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, [(b"allow", b"GET, HEAD")])
            return
        self._sightings.see("script", headers)
        pinned = PINNED.match(scope["path"])
        place = self._place_of(pinned[1]) if pinned else self._folder / NAME
        accepted = headers.get(b"accept-encoding", b"").decode("latin-1")
        form = None if place is None else self._best(place, accepted)
        if form is None:
            missing = b"No such version of the snippet was served here.\n"
            unbuilt = b"The snippet is not built: run `npm run build` in snippet/.\n"
            await _answer(send, 404, [(b"cache-control", b"no-store")], missing if pinned else unbuilt)
            return
        common = [
            (b"etag", form.etag),
            (b"cache-control", IMMUTABLE if pinned else CHANGING),
            (b"vary", b"accept-encoding"),
            (b"access-control-allow-origin", b"*"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        known = headers.get(b"if-none-match", b"")
        if known == b"*" or form.etag in [each.strip().removeprefix(b"W/") for each in known.split(b",")]:
            await _answer(send, 304, common)
            return
        common.append((b"content-type", b"text/javascript; charset=utf-8"))
        common.append((b"content-length", str(len(form.body)).encode()))
        if form.encoding:
            common.append((b"content-encoding", form.encoding.encode()))
        await _answer(send, 200, common, form.body if scope["method"] == "GET" else b"")

    def keep(self) -> None:
        """Keep the version that is served now, so that pages may pin it, and the files that belong to it."""
        if self._kept is None:
            return
        try:
            for name in (NAME, *LATER):
                self._keep_file(self._folder / name, self._kept)
        except OSError as error:
            log.warning("This version of the snippet could not be kept for pages that pin it: %s", error)

    def _keep_file(self, current: Path, kept: Path) -> None:
        plain = self._form(current, "")
        if plain is None:
            return
        kept.mkdir(mode=0o700, exist_ok=True)
        place = kept / f"{hash_of(plain.body)}.js"
        # The plain one first: without it the version is not there.
        for encoding, suffix in reversed(ENCODINGS):
            form = self._form(Path(f"{current}{suffix}"), encoding)
            target = Path(f"{place}{suffix}")
            there = self._form(target, encoding)
            # What a power cut left of an older version's copy would be its page's script for ever.
            if form is not None and (there is None or there.body != form.body):
                write_synced(target, form.body)

    def _place_of(self, wanted: str) -> Path | None:
        """Where the version with this hash is."""
        for name in (NAME, *LATER):
            current = self._form(self._folder / name, "")
            if current is not None and hash_of(current.body) == wanted:
                return self._folder / name
        place = self._kept and self._kept / f"{wanted}.js"
        return place if place and place.exists() else None

    def _best(self, place: Path, accepted: str) -> Form | None:
        taken = _encodings(accepted)
        forms = (
            self._form(Path(f"{place}{suffix}"), encoding)
            for encoding, suffix in ENCODINGS
            if encoding in taken
        )
        return next((form for form in forms if form is not None), None)

    def _form(self, path: Path, encoding: str) -> Form | None:
        try:
            found = path.stat()
            modified = (found.st_mtime_ns, found.st_size)
            form = self._forms.get(path)
            if form is None or form.modified != modified:
                body = path.read_bytes()
                # Each form has a tag of its own: a cache must not answer one who asked for the other.
                etag = b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()
                form = self._forms[path] = Form(body, etag, encoding, modified)
        except OSError:
            return None
        return form


def hash_of(script: bytes) -> str:
    """What names a version in its address.

    >>> hash_of(b"")
    'e3b0c44298fc1c14'
    """
    return sha256(script).hexdigest()[:HASH_DIGITS]


def _encodings(accepted: str) -> set[str]:
    """The encodings that an Accept-Encoding header takes; plain (`""`) is always one.

    >>> sorted(_encodings("gzip, br;q=0"))
    ['', 'gzip']
    """
    taken = {""}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            taken.add(name.strip())
    return taken


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    if status >= 400:
        headers = [
            *headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
        ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
