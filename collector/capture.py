"""`POST /e`: the way of a batch from the socket to the acknowledgement, as one ASGI function."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import msgspec
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from expost.clock import Clock
from expost.errors import ExpostError, FolderError, InvalidInput, NotAllowed, WrongMethod
from expost.lake.audience import Audience
from expost.lake.journal import Journal

from .accept import Packer, Sender, Verdict, accept, find_device
from .body import ENCODINGS, MAX_BODY_BYTES, Disconnected, read_body, unpack
from .country import Countries, CountryFile
from .daily import DailyIds
from .descriptors import Descriptors
from .keyring import Grant, Keyring
from .limits import Holder, Limits, Places, TooManyEvents, counted_address
from .peer import Visitors
from .refused import RefusedLog
from .sightings import Sightings
from .tally import Tally
from .whole import WholeRequest
from .wire import FromTheFuture, Refused, TooLarge, Unreadable

log = logging.getLogger("expost.collector")

Headers = list[tuple[bytes, bytes]]

RETRY_SECONDS = b"5"
MAX_HELD_BYTES = 48_000_000
"""Bodies in memory that are not whole yet: beyond it new ones are asked to come back, so that memory stays bounded."""

MAX_TURN_SECONDS = 1.0
"""For how long batches that arrived together are read one after the other. Those beyond are asked to come back: they
would wait for longer than pages do, and with them whoever looks at a dashboard."""

CORS: Headers = [
    # Any page may read the answer: which pages may send is decided by the key. Without it a page sees every refusal as
    # a network error and would send again and again.
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
]
PREFLIGHT: Headers = [
    *CORS,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type, content-encoding, authorization"),
    (b"access-control-max-age", b"86400"),
]
ACKNOWLEDGED = {"type": "http.response.start", "status": 204, "headers": CORS}
NO_BODY = {"type": "http.response.body"}
_json = msgspec.json.Encoder().encode

Taken = tuple[WholeRequest, Verdict, float]
"""A request that waits for the disk, what becomes of its batch, and when it arrived."""


def head_of(status: int, headers: Headers) -> bytes:
    """The status line and header fields of an answer, as they are sent."""
    return STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % each for each in headers])


ACKNOWLEDGED_HEAD = head_of(204, CORS)


class WrongEncoding(InvalidInput):
    """A Content-Encoding that is not gzip."""

    code = "unknown_encoding"
    status = 415


class UnknownKey(NotAllowed):
    """A key that opens nothing."""

    code = "unknown_key"
    status = 401


class Busy(ExpostError):
    """More arrives than this process can look at in time."""

    code = "busy"
    status = 503


class Admission(msgspec.Struct, gc=False):
    """Who sends, and where their events count: the same for every request with the same head.

    It holds as long as the keyring has the same `revision`, the limits the same `era`, and countries come of the same
    file. `counted` are the places with that of the device whose batch came last, of which `device` is the hash: nearly
    always the next one is of the same.
    """

    sender: Sender
    places: Places
    revision: int
    era: int
    countries: CountryFile | None
    device: int = hash("")
    counted: Places = ()


class Capture:
    """The ASGI function for `/e`. It answers after the batch is on disk."""

    def __init__(
        self,
        journal: Journal,
        keyring: Keyring,
        daily: DailyIds,
        descriptors: Descriptors,
        refused: RefusedLog,
        limits: Limits,
        visitors: Visitors,
        tally: Tally,
        clock: Clock,
        countries: Countries | None = None,
        seconds: Callable[[], float] = time.monotonic,
        sightings: Sightings | None = None,
    ) -> None:
        self._journal = journal
        self._keyring = keyring
        self._daily = daily
        self._descriptors = descriptors
        self._refused = refused
        self._limits = limits
        self._visitors = visitors
        self._tally = tally
        self._clock = clock
        self._countries = countries
        self._seconds = seconds
        self._sightings = sightings or Sightings()
        self._held_bytes = 0
        self._pack = Packer()
        self._audience: Audience | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if method != "POST":
            await _answer_other(method, send)
            return
        began = self._seconds()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            verdict = await self._take(scope, headers, receive)
        except Disconnected:
            return
        except ExpostError as error:
            await self._refuse(send, error)
            return
        except Exception:
            # Whatever a sender makes us trip over, it is told, and it is seen by an operator.
            log.exception("a batch could not be taken")
            await self._refuse(send, ExpostError("The collector failed on this batch."))
            return
        is_asked = b"application/json" in headers.get(b"accept", b"")
        self._tally.count(200 if is_asked else 204, verdict, self._seconds() - began)
        if is_asked:
            await _answer(send, 200, _verdict_json(verdict))
            return
        await send(ACKNOWLEDGED)
        await send(NO_BODY)

    def forget(self) -> None:
        """Remember nothing of what was captured, after somebody was erased."""
        self._descriptors.forget()

    def take(self, request: WholeRequest) -> bool:
        """Keep a batch that arrived whole, and answer it. False when there is more to do than that."""
        began = self._seconds()
        try:
            admission = self._admit_whole(request)
            if admission is None:
                return False
            loop = request.loop
            self._refuse_when_busy(loop)
            self._limits.check(admission.places, began)
            verdict = self._judge(request.body, admission.sender, self._clock(), began)
            if verdict.refused or verdict.payload is None:
                return False
            self._count_all(admission, verdict, began)
            if self._audience is None or self._audience.loop is not loop:
                self._audience = Audience(loop, self._answer_all)
            self._journal.append_for(verdict.payload, self._audience, (request, verdict, began))
        except (Unreadable, TooLarge, FromTheFuture):
            return False
        except ExpostError as error:
            self._refuse_whole(request, error)
        except Exception:  # noqa: BLE001 (the ordinary way trips over it again, and says so)
            return False
        return True

    def _admit_whole(self, request: WholeRequest) -> Admission | None:
        known = request.known
        if known is None:
            headers = dict(request.headers)
            if b"application/json" in headers.get(b"accept", b""):
                return None
            admission = self._admit(request.query, headers, request.headers, request.peer)
            # Of secret keys nothing stays in memory, not even what they opened.
            request.known = admission if admission.sender.grant.kind == "write" else None
            return admission
        assert isinstance(known, Admission)
        if (
            known.revision != self._keyring.revision()
            or known.era != self._limits.era
            or known.countries is not self._country_file()
        ):
            request.known = None
            return None
        return known

    def _answer_all(self, taken: Sequence[Taken], error: FolderError | None) -> None:
        """Answer all of a group: what they have in common is looked at once."""
        now = taken[0][0].loop.time()
        for request, _, _ in taken:
            try:
                if error is None:
                    request.acknowledge(ACKNOWLEDGED_HEAD, now)
                else:
                    self._refuse_whole(request, error)
            except Exception:
                # What goes wrong with one answer is no reason to leave the others without theirs.
                log.exception("a sender could not be told")
        if error is None:
            self._tally.count_all(204, [(verdict, began) for _, verdict, began in taken], self._seconds())

    def _refuse_whole(self, request: WholeRequest, error: ExpostError) -> None:
        self._count_refusal(error)
        body = _json(error.to_json())
        request.answer(head_of(error.status, _fields(body, _again(error))), body)

    async def _take(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Verdict:
        client = scope.get("client")
        admission = self._admit(scope["query_string"], headers, scope["headers"], client[0] if client else "")
        self._refuse_when_busy(asyncio.get_running_loop())
        self._limits.check(admission.places, self._seconds())
        grant = admission.sender.grant
        body = await self._body(receive, headers.get(b"content-length", b""))
        received_at = self._clock()
        try:
            verdict = self._judge(body, admission.sender, received_at, self._seconds())
        except FromTheFuture as problem:
            self._limits.take(admission.places, 1, self._seconds())
            await self._keep_whole(grant, received_at, body, problem)
            return Verdict(None, 0, 0, ())
        except (Unreadable, TooLarge) as problem:
            self._limits.take(admission.places, 1, self._seconds())
            await self._keep_whole(grant, received_at, body, problem)
            raise
        self._count_all(admission, verdict, self._seconds())
        if verdict.refused:
            await self._keep(grant, received_at, verdict.refused)
        if verdict.payload is not None:
            await self._journal.append(verdict.payload)
        return verdict

    def _admit(self, query: bytes, headers: dict[bytes, bytes], fields: Headers, peer: str) -> Admission:
        """Who sends, and where the events count. Raises for whoever may not, before the body is looked at."""
        revision, era = self._keyring.revision(), self._limits.era
        grant = self._grant(query, headers)
        if headers.get(b"content-encoding", b"").strip().lower() not in ENCODINGS:
            raise WrongEncoding("Bodies are plain or gzip.", hint="Leave Content-Encoding out, or say gzip.")
        address = self._address(peer, headers, fields)
        user_agent = headers.get(b"user-agent", b"").decode("latin-1")
        # Which file it is first: of one that takes its place meanwhile, the country is looked up once more, never less.
        countries = self._country_file()
        # A server sends from its own address, and history from whoever imports it.
        country = self._countries.find(address) if self._countries and grant.kind == "write" else ""
        # History counts nowhere.
        names: dict[Holder, str] = {"address": counted_address(address), "key": grant.key}
        places = () if grant.is_import else self._limits.places(names)
        sender = Sender(grant, address, user_agent, country)
        return Admission(sender, places, revision, era, countries, counted=places)

    def _country_file(self) -> CountryFile | None:
        return self._countries.file if self._countries else None

    def _refuse_when_busy(self, loop: asyncio.AbstractEventLoop) -> None:
        """Raise for a batch that would be looked at in vain or too late: that costs others their time."""
        self._journal.check_room()
        # The loop's own time is that at which this turn of it began.
        if time.monotonic() - loop.time() > MAX_TURN_SECONDS:
            raise Busy("More arrives than can be looked at in time.", hint="Send again later.")

    def _judge(self, body: bytes, sender: Sender, received_at: int, now: float) -> Verdict:
        content = unpack(body)
        if not (self._limits.is_calm(now) or sender.grant.is_import):
            # The device stands in the batch; one that sends too much is refused before the rest of it is read.
            device = find_device(content, sender, self._daily)
            self._limits.check(self._places_of(device), now)
        return accept(content, sender, received_at, self._descriptors, self._daily, self._pack)

    def _count_all(self, admission: Admission, verdict: Verdict, now: float) -> None:
        device = "" if admission.sender.grant.is_import else verdict.device
        if hash(device) != admission.device:
            admission.device = hash(device)
            admission.counted = admission.places + self._places_of(device)
        self._limits.take(admission.counted, verdict.count or 1, now)

    def _places_of(self, device: str) -> Places:
        return self._limits.places({"device": device}) if device else ()

    async def _refuse(self, send: Send, error: ExpostError) -> None:
        self._count_refusal(error)
        await _answer(send, error.status, _json(error.to_json()), _again(error))

    def _count_refusal(self, error: ExpostError) -> None:
        self._tally.answers[error.status] += 1
        if isinstance(error, TooManyEvents):
            self._tally.limited[error.holder] += 1

    def _grant(self, query: bytes, headers: dict[bytes, bytes]) -> Grant:
        key = next((part[2:] for part in query.split(b"&") if part.startswith(b"k=")), b"")
        authorization = headers.get(b"authorization", b"")
        if not key and authorization[:7].lower() == b"bearer ":
            # Secret keys need not stand in an address, which proxies write into their logs.
            key = authorization[7:].strip()
        grant = self._keyring.find(key.decode("latin-1"))
        if grant is None:
            kind = {b"xs_": "server", b"xi_": "import"}.get(key[:3])
            self._sightings.see("unknown key", headers)
            again = f"expost sites keys SITE --new {kind}" if kind else "expost sites tag"
            raise UnknownKey("This key opens no site.", hint=f"Get one that does with: {again}")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if not grant.allows(origin):
            self._sightings.see("origin refused", headers)
            raise NotAllowed(
                f"Pages of {origin!r} may not send to the site {grant.site}.",
                hint="Allow them, beside those there are, with: expost sites change SITE --origin ORIGIN …",
            )
        return grant

    async def _body(self, receive: Receive, length: bytes) -> bytes:
        expected = int(length) if length.isdigit() and len(length) < 10 else MAX_BODY_BYTES
        expected = min(expected, MAX_BODY_BYTES)
        if self._held_bytes + expected > MAX_HELD_BYTES:
            raise FolderError(
                f"{self._held_bytes} bytes are being received already.", hint="Send again later."
            )
        self._held_bytes += expected
        try:
            return await read_body(receive, length)
        finally:
            self._held_bytes -= expected

    def _address(self, peer: str, headers: dict[bytes, bytes], fields: Headers) -> str:
        if b"x-forwarded-for" not in headers:
            return peer
        hops = [value for name, value in fields if name == b"x-forwarded-for"]
        return self._visitors.address(peer, b",".join(hops).decode("latin-1"))

    async def _keep_whole(self, grant: Grant, received_at: int, body: bytes, problem: InvalidInput) -> None:
        try:
            content = unpack(body)
        except InvalidInput:
            content = body
        self._tally.reject(problem.message)
        await self._keep(grant, received_at, [Refused("", problem.message, content)])

    async def _keep(self, grant: Grant, received_at: int, refused: Sequence[Refused]) -> None:
        # In a thread: a disk that is slow to take these lines must not delay anybody's acknowledgement.
        await asyncio.to_thread(self._refused.keep, grant.site, received_at, refused)


async def _answer_other(method: str, send: Send) -> None:
    if method == "OPTIONS":
        await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT})
        await send({"type": "http.response.body"})
        return
    error = WrongMethod(method, "/e", "POST")
    await _answer(
        send, 405, _json(error.to_json()), [(b"allow", b"POST, OPTIONS")], has_body=method != "HEAD"
    )


def _again(error: ExpostError) -> Headers:
    """When to send again, where that is of use."""
    if isinstance(error, TooManyEvents):
        return [(b"retry-after", str(error.retry_after).encode())]
    return [(b"retry-after", RETRY_SECONDS)] if error.status == 503 else []


def _fields(body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> Headers:
    length = str(len(body)).encode()
    return [*CORS, *more, (b"content-type", b"application/json"), (b"content-length", length)]


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    headers: Sequence[tuple[bytes, bytes]] = (),
    *,
    has_body: bool = True,
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _fields(body, headers)})
    await send({"type": "http.response.body", "body": body if has_body else b""})


def _verdict_json(verdict: Verdict) -> bytes:
    return _json(
        {
            "accepted": verdict.accepted,
            "duplicates": verdict.duplicates,
            "rejected": [{"id": each.id, "reason": each.reason} for each in verdict.refused],
        }
    )
