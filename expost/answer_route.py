"""Answers over HTTP in the form that is asked for: JSON, or the rows as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.convertors import PathConvertor, register_url_convertor

from expost.errors import InvalidInput
from expost.query.answer import Answer
from expost.query.sandbox import RowsAnswer
from expost.ui.page import unread_headers

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
CUT = "X-Expost-Cut"
"""The header that says that there are more rows than came: a list of rows has no place for it."""


class AnyText(PathConvertor):
    """Text in a path, `{name:text}`: `path` would stop at a line break, and a name with one be said to be nowhere."""

    regex = "(?s:.*)"


register_url_convertor("text", AnyText())


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
            _check_path(request.scope.get("raw_path") or b"")
            response = await handle(request)
            if isinstance(response, AnswerResponse):
                return rendered(response.answer, request.headers.get("accept", ""))
            return response

        return handled


def _check_path(raw: bytes) -> None:
    """Refuse bytes that are no text: read as one, they would make a name that nobody gave."""
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as problem:
        byte = f"%{problem.object[problem.start]:02X}"
        raise InvalidInput(
            f"The path of the address is no UTF-8: {byte} begins no character.",
            hint="Write names in UTF-8, percent-encoded: é is %C3%A9.",
        ) from problem


def rendered(answer: Answer, accept: str) -> Response:
    """An answer as a body of the kind that is accepted."""
    headers = unread_headers(answer)
    if isinstance(answer, RowsAnswer) and answer.is_cut:
        headers[CUT] = "true"
    if CSV in accept:
        return Response(answer.to_csv(), media_type=f"{CSV}; charset=utf-8", headers=headers)
    if PARQUET in accept:
        return Response(answer.to_parquet(), media_type=PARQUET, headers=headers)
    return JSONResponse(answer.to_json(), headers=headers)
