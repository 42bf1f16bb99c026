"""Answers over HTTP in the form that is asked for: JSON, or the rows as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from expost.query.answer import Answer

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"


class AnswerResponse(JSONResponse):
    """A response that is an answer. `AnswerRoute` gives it the form that the request accepts."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(None)
        self.answer = answer


class AnswerRoute(APIRoute):
    """A route whose answers are JSON, or what the header `Accept` names instead."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its answer in the form that is asked for."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            response = await handle(request)
            if isinstance(response, AnswerResponse):
                return rendered(response.answer, request.headers.get("accept", ""))
            return response

        return handled


def rendered(answer: Answer, accept: str) -> Response:
    """An answer as a body of the kind that is accepted."""
    if CSV in accept:
        return Response(answer.to_csv(), media_type=f"{CSV}; charset=utf-8")
    if PARQUET in accept:
        return Response(answer.to_parquet(), media_type=PARQUET)
    return JSONResponse(answer.to_json())
