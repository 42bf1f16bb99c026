"""`GET /expost.js`: the built snippet, in the smallest form that the browser takes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

from starlette.types import Receive, Scope, Send

NAME = "expost.js"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"), ("", ""))
"""The best first."""

MAX_AGE_SECONDS = 3_600
"""How long browsers use it without asking. A new version reaches every page within this time."""


@dataclass(frozen=True, slots=True)
class Form:
    """The snippet in one encoding."""

    body: bytes
    etag: bytes
    encoding: str
    modified: tuple[int, int]


class Script:
    """The ASGI function for `/expost.js`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(str(files("expost.snippet") / "dist"))
        self._forms: dict[str, Form] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, [(b"allow", b"GET, HEAD")])
            return
        form = self._best(headers.get(b"accept-encoding", b"").decode("latin-1"))
        if form is None:
            await _answer(send, 404, [], b"The snippet is not built: run `npm run build` in snippet/.\n")
            return
        common = [
            (b"etag", form.etag),
            (b"cache-control", b"public, max-age=%d" % MAX_AGE_SECONDS),
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

    def _best(self, accepted: str) -> Form | None:
        taken = _encodings(accepted)
        forms = (self._form(encoding, suffix) for encoding, suffix in ENCODINGS if encoding in taken)
        return next((form for form in forms if form is not None), None)

    def _form(self, encoding: str, suffix: str) -> Form | None:
        path = self._folder / (NAME + suffix)
        try:
            found = path.stat()
            modified = (found.st_mtime_ns, found.st_size)
            form = self._forms.get(encoding)
            if form is None or form.modified != modified:
                body = path.read_bytes()
                # Each form has a tag of its own: a cache must not answer one who asked for the other.
                etag = b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()
                form = self._forms[encoding] = Form(body, etag, encoding, modified)
        except OSError:
            return None
        return form


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
