"""`POST /e`: the way of a batch from the socket to the acknowledgement, as one ASGI function."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from starlette.types import Receive, Scope, Send

from expost.clock import Clock
from expost.errors import ExpostError, FolderError, InvalidInput
from expost.lake.audience import Audience
from expost.lake.journal import Journal

from .accept import Packer, Sender, Verdict, accept, find_device
from .admission import Admission, Admissions
from .answers import (
    ACKNOWLEDGED_HEAD,
    acknowledge,
    answer_other,
    answer_refusal,
    answer_verdict,
    whole_refusal,
)
from .body import MAX_BODY_BYTES, Disconnected, read_body, unpack
from .daily import DailyIds
from .descriptors import Descriptors
from .keyring import Grant
from .limits import Limits, Places, TooManyEvents
from .refused import RefusedLog
from .tally import Tally
from .whole import WholeRequest
from .wire import FromTheFuture, Refused, TooLarge, Unreadable

log = logging.getLogger("expost.collector")

MAX_HELD_BYTES = 48_000_000
"""Bodies in memory that are not whole yet: beyond it new ones are asked to come back, so that memory stays bounded."""

MAX_TURN_SECONDS = 1.0
"""For how long batches that arrived together are read one after the other. Those beyond are asked to come back: they
would wait for longer than pages do, and with them whoever looks at a dashboard."""

Taken = tuple[WholeRequest, Verdict, float]
"""A request that waits for the disk, what becomes of its batch, and when it arrived."""


class Busy(ExpostError):
    """More arrives than this process can look at in time."""

    code = "busy"
    status = 503


class Capture:
    """The ASGI function for `/e`. It answers after the batch is on disk."""

    def __init__(
        self,
        journal: Journal,
        admissions: Admissions,
        daily: DailyIds,
        descriptors: Descriptors,
        refused: RefusedLog,
        limits: Limits,
        tally: Tally,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._admissions = admissions
        self._daily = daily
        self._descriptors = descriptors
        self._refused = refused
        self._limits = limits
        self._tally = tally
        self._clock = clock
        self._seconds = seconds
        self._held_bytes = 0
        self._pack = Packer()
        self._audience: Audience | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if method != "POST":
            await answer_other(method, send)
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
            await answer_verdict(send, verdict)
            return
        await acknowledge(send)

    def forget(self) -> None:
        """Remember nothing of what was captured, after somebody was erased."""
        self._descriptors.forget()

    def take(self, request: WholeRequest) -> bool:
        """Keep a batch that arrived whole, and answer it. False when there is more to do than that."""
        began = self._seconds()
        try:
            admission = self._admissions.find_whole(request)
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
        request.answer(*whole_refusal(error))

    async def _take(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Verdict:
        client = scope.get("client")
        peer = client[0] if client else ""
        admission = self._admissions.find(scope["query_string"], headers, scope["headers"], peer)
        self._refuse_when_busy(asyncio.get_running_loop())
        self._limits.check(admission.places, self._seconds())
        grant = admission.sender.grant
        body = await self._body(receive, headers.get(b"content-length", b""))
        received_at = self._clock()
        try:
            verdict = self._judge(body, admission.sender, received_at, self._seconds())
        except (FromTheFuture, Unreadable, TooLarge) as problem:
            self._limits.take(admission.places, 1, self._seconds())
            await self._keep_whole(grant, received_at, body, problem)
            if isinstance(problem, FromTheFuture):
                # It is kept, for a version that can read it: the sender need not send it again.
                return Verdict(None, 0, 0, ())
            raise
        self._count_all(admission, verdict, self._seconds())
        if verdict.refused:
            await self._keep(grant, received_at, verdict.refused)
        if verdict.payload is not None:
            await self._journal.append(verdict.payload)
        return verdict

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
        return accept(content, sender, received_at, self._descriptors, self._daily, self._pack, body)

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
        await answer_refusal(send, error)

    def _count_refusal(self, error: ExpostError) -> None:
        self._tally.answers[error.status] += 1
        if isinstance(error, TooManyEvents):
            self._tally.limited[error.holder] += 1

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
