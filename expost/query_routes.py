"""The routes of the questions that are being answered: which there are, how far each is, and the end of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from expost.errors import InvalidInput, UnknownName


class Asked(Protocol):
    """A question that is being answered or waits."""

    id: str
    request: str
    began_at: float | None

    @property
    def seconds(self) -> float: ...
    @property
    def progress(self) -> float | None: ...
    def to_json(self) -> dict[str, Any]: ...


class Queries(Protocol):
    """What knows them: the pool."""

    def running(self) -> Sequence[Asked]: ...

    def cancel(self, id_: str) -> None: ...


class NoQueries:
    """Where there is no pool, nothing runs."""

    def running(self) -> Sequence[Asked]:
        """None."""
        return ()

    def cancel(self, id_: str) -> None:
        """There is none to end."""
        raise UnknownName("question", id_, [], list_with="GET /api/v1/queries")


def add_queries(api: APIRouter, queries: Queries) -> None:
    """`/queries`, for whoever may ask the API."""

    @api.get("/queries")
    async def running(request: Request) -> JSONResponse:
        """The questions that are being answered or wait in line, the oldest first, and how far each is."""
        if request.query_params:
            raise InvalidInput("This route takes no parameters.", hint="Ask it alone: /api/v1/queries")
        return JSONResponse([each.to_json() for each in queries.running()])

    @api.delete("/queries/{id}", status_code=204)
    async def cancel(id: str) -> Response:  # noqa: A002  (its name in the address)
        """Stop a question. Whoever asked it gets 409 and the code `cancelled`."""
        queries.cancel(id)
        return Response(status_code=204)
