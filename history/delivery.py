"""Where batches of history go: into the journal of a folder at rest, or to the server that has the folder.

Both ways lead through the collector's acceptance, with the grant of an import key.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from expost.clock import Clock
from expost.collector.accept import Sender, accept
from expost.collector.daily import DailyIds
from expost.collector.descriptors import Descriptors
from expost.collector.keyring import grant_of
from expost.collector.masks import Masks
from expost.errors import FolderError, InvalidInput
from expost.lake.folder import Folder
from expost.lake.journal import Journal
from expost.lake.lock import held_by, in_use
from expost.lake.segment import OPEN, SEALED
from expost.lake.sink import Sink
from expost.lake.writer import Writer, last_segment
from expost.state.audit import Actor
from expost.state.database import State
from expost.state.keys import add_key, revoke_key
from expost.state.sites import Site

from .batches import Body

SENDERS = 3
"""So many batches are on the way at once: the server syncs those that arrive together in one go."""

PATIENCE_SECONDS = 600.0
"""A server that takes nothing for so long is given up; what it acknowledged is stored all the same."""

ANSWER_SECONDS = 60
LOOK_SECONDS = 0.1
MAX_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not accepted, and why."""

    id: str
    reason: str


class Delivery(Protocol):
    """Takes batches; what it does not refuse is durable when `deliver` returns, and in the lake after `finish`."""

    def deliver(self, bodies: Sequence[Body]) -> list[Refusal]: ...

    def finish(self) -> None: ...


Wait = Callable[[str], None]
"""Is told what a server answers that takes nothing at the moment."""


@contextmanager
def delivery_to(
    folder: Folder, state: State, site: Site, clock: Clock, by: Actor, wait: Wait = lambda _: None
) -> Iterator[Delivery]:
    """The way into a folder, whether a server has it or nobody does. All that waited before is in the lake."""
    holder = held_by(folder.lock_path)
    if holder is None:
        with _at_rest(folder, site, clock) as delivery:
            yield delivery
    elif not holder.serves:
        raise in_use(folder.path, holder)
    else:
        with _to_server(folder, state, site, clock, by, wait) as delivery:
            yield delivery


class Trial:
    """Accepts batches as the collector does, and keeps nothing: for a dry run."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._grant = grant_of(site, "import")
        self._clock = clock
        self._descriptors = Descriptors(Masks())
        self._daily = DailyIds(clock, None)

    def deliver(self, bodies: Sequence[Body]) -> list[Refusal]:
        """What would be refused."""
        return [refusal for body in bodies for refusal in self.accept(body)[1]]

    def finish(self) -> None:
        """Nothing is left to do."""

    def accept(self, body: Body) -> tuple[bytes | None, list[Refusal]]:
        """What of a batch is for the journal, and what is refused of it."""
        sender = Sender(self._grant, "", body.user_agent)
        try:
            verdict = accept(body.content, sender, self._clock(), self._descriptors, self._daily)
        except InvalidInput as problem:
            return None, _all_refused(body, problem.message)
        return verdict.payload, [Refusal(each.id, each.reason) for each in verdict.refused]


def _all_refused(body: Body, reason: str) -> list[Refusal]:
    return [Refusal(id_, reason) for id_ in body.ids]


class AtRest:
    """Accepts batches here, writes them to the journal and moves that into the lake."""

    def __init__(self, journal: Journal, sink: Sink, site: Site, clock: Clock) -> None:
        self._journal = journal
        self._sink = sink
        self._accept = Trial(site, clock).accept

    def deliver(self, bodies: Sequence[Body]) -> list[Refusal]:
        """Keep these batches."""
        accepted = [self._accept(body) for body in bodies]
        payloads = [payload for payload, _ in accepted if payload is not None]
        if payloads:
            self._journal.write_all(payloads)
            self.finish()
        return [refusal for _, refused in accepted for refusal in refused]

    def finish(self) -> None:
        """Move all of it into the lake, and do what its writer was asked for meanwhile: nobody else is to."""
        self._journal.seal()
        while self._sink.move():
            pass
        self._sink.edit()
        if not self._sink.erase():
            raise FolderError(
                "Somebody is to be erased, and that failed; the import ends here.",
                hint="expost erasures says why. Then run the import again: nothing is stored twice.",
            )


@contextmanager
def _at_rest(folder: Folder, site: Site, clock: Clock) -> Iterator[AtRest]:
    journal = Journal(folder, clock, seal_age_ms=3_600_000, after=last_segment(folder), work="an import")
    try:
        with Writer(folder, clock) as writer:
            delivery = AtRest(journal, Sink(folder, writer), site, clock)
            delivery.finish()
            yield delivery
    finally:
        journal.close()


class ToServer:
    """Sends batches to the server, with a key that lives as long as this is open."""

    def __init__(self, folder: Folder, url: str, key: str, wait: Wait = lambda _: None) -> None:
        self._folder = folder
        self._wait = wait
        self._turn = threading.Lock()
        self._url = urlsplit(url)
        self._key = key
        self._pool = ThreadPoolExecutor(SENDERS, "import")
        self._own = threading.local()

    def deliver(self, bodies: Sequence[Body]) -> list[Refusal]:
        """Send these batches, several at once, and again where the server asks for that."""
        return [refusal for refused in self._pool.map(self._send, bodies) for refusal in refused]

    def finish(self) -> None:
        """Wait until what was acknowledged is in the lake."""
        wait_for_sink(self._folder)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.shutdown(cancel_futures=True)

    def _send(self, body: Body) -> list[Refusal]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, answer, again = self._post(body)
            except (OSError, http.client.HTTPException) as problem:
                self._own.connection = None
                status, answer, again = 503, str(problem).encode(), 1.0
            if status == 200:
                said = msgspec.json.decode(answer)
                return [Refusal(each["id"], each["reason"]) for each in said["rejected"]]
            if status in (400, 413):
                return _all_refused(body, answer[:MAX_ANSWER].decode("utf-8", "replace"))
            if status < 500 and status != 429:
                raise FolderError(
                    f"The server does not take this batch ({status}): {answer[:MAX_ANSWER].decode('utf-8', 'replace')}",
                    hint="What was sent before is stored; the same import goes on from there.",
                )
            if time.monotonic() > deadline:
                said = answer[:MAX_ANSWER].decode("utf-8", "replace")
                raise FolderError(
                    f"The server at {self._url.geturl()} takes nothing: {said}",
                    hint="Look at its log. What it acknowledged is stored; the same import goes on from there.",
                )
            with self._turn:
                self._wait(answer[:MAX_ANSWER].decode("utf-8", "replace").strip())
            time.sleep(again)

    def _post(self, body: Body) -> tuple[int, bytes, float]:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
            connection = self._own.connection = kind(
                self._url.hostname or "", self._url.port, timeout=ANSWER_SECONDS
            )
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Accept": "application/json",
            "Content-Type": "text/plain",
            "User-Agent": body.user_agent,
        }
        connection.request("POST", "/e", body.content, headers)
        response = connection.getresponse()
        answer: bytes = response.read()
        retry_after = response.headers.get("Retry-After", "")
        return response.status, answer, float(retry_after) if retry_after.isdigit() else 1.0


@contextmanager
def _to_server(
    folder: Folder, state: State, site: Site, clock: Clock, by: Actor, wait: Wait
) -> Iterator[ToServer]:
    url = listening_url(folder)
    _revoke_left(folder, state, clock, by)
    wait_for_sink(folder)
    key, text = add_key(state, site.slug, "import", clock, by=by)
    note = _note(folder)
    note.write_text(key.prefix, "utf-8")
    delivery = ToServer(folder, url, text, wait)
    try:
        yield delivery
    finally:
        delivery.close()
        revoke_key(state, key.prefix, clock, by=by)
        note.unlink(missing_ok=True)


def _revoke_left(folder: Folder, state: State, clock: Clock, by: Actor) -> None:
    """A killed import could not revoke its key: the next one does."""
    note = _note(folder)
    with suppress(FileNotFoundError):
        revoke_key(state, note.read_text("utf-8").strip(), clock, by=by)
        note.unlink()


def _note(folder: Folder) -> Path:
    return folder.path / "import.key"


def listening_url(folder: Folder) -> str:
    """Where the server of a folder listens on this machine."""
    try:
        return folder.listening_path.read_text("utf-8").strip()
    except OSError:
        raise FolderError(
            f"A server has the folder {folder.path}, and it is not known where it listens.",
            hint="Start it again with this version, or stop it for the import.",
        ) from None


def wait_for_sink(folder: Folder, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when all that the journal holds now is in the lake."""
    waiting = _waiting(folder)
    deadline = time.monotonic() + patience_seconds
    while waiting & _waiting(folder):
        if time.monotonic() > deadline:
            raise FolderError(
                f"{len(waiting)} segments of the journal are not in the lake yet.",
                hint="The server moves them by itself; its log says what is in the way. Then import again.",
            )
        time.sleep(LOOK_SECONDS)


def _waiting(folder: Folder) -> set[str]:
    return {path.stem for path in folder.journal.iterdir() if path.suffix in (OPEN, SEALED)}
