"""The routes that ask: one a kind of question, their parameters the words of the form that reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Body as BodyOf
from fastapi.responses import JSONResponse

from expost.query.form import Form, form_of
from expost.query.form_definition import (
    DIFFERENCE,
    HEALTH,
    PREVIEW,
    SUGGESTIONS,
    UNNAMED,
    difference_of,
    health_of,
    preview_of,
    suggestions_of,
    unnamed_of,
)
from expost.query.form_funnel import FUNNEL, FUNNEL_PEOPLE, funnel_of, funnel_people_of
from expost.query.form_proof import explaining
from expost.query.form_retention import RETENTION, RETENTION_PEOPLE, retention_of, retention_people_of
from expost.query.form_seen import FLAGS, LIVE, LOSSES, REJECTED, flags_of, live_of, losses_of, rejected_of
from expost.query.form_sessions import SESSIONS, sessions_of
from expost.query.form_trend import TREND, TREND_PEOPLE, trend_of, trend_people_of
from expost.query.form_ways import LIFECYCLE, PATHS, STICKINESS, lifecycle_of, paths_of, stickiness_of
from expost.query.question import Question
from expost.query.word import Word, refuse_unknown
from expost.ui.caller import require_admin

Body = Annotated[dict[str, Any], BodyOf()]
"""A JSON object. What is in it is checked by words, which say more than a schema does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of question at a path: its words, what reads them, and what the answer says."""

    path: str
    words: tuple[Word, ...]
    question_of: Callable[[Form], Question]
    says: str
    is_for_admins: bool = False


ASKED = (
    Asked("/preview", PREVIEW, preview_of, "The past of a definition that need not exist."),
    Asked("/funnel", FUNNEL, funnel_of, "How many people went through the steps in order."),
    Asked("/retention", RETENTION, retention_of, "Who came back."),
    Asked("/trend", TREND, trend_of, "Events and people per calendar period."),
    Asked("/stickiness", STICKINESS, stickiness_of, "How many people did it in how many distinct periods."),
    Asked("/lifecycle", LIFECYCLE, lifecycle_of, "Per period who is new, returning, resurrecting and dormant."),
    Asked("/paths", PATHS, paths_of, "What people did after or before an event, in the same session."),
    Asked("/sessions", SESSIONS, sessions_of, "The sessions that began in a range, their figures, and how many when."),
    Asked("/funnel/people", FUNNEL_PEOPLE, funnel_people_of,
          "The people behind a bar, each with the events that decided."),
    Asked("/retention/people", RETENTION_PEOPLE, retention_people_of,
          "The people of a cohort, or who of it came back in a period."),
    Asked("/trend/people", TREND_PEOPLE, trend_people_of,
          "The people behind a point, each with the events there."),
    Asked("/funnel/explanation", FUNNEL, explaining(funnel_of),
          "The rules that decided a funnel, and its counts under the other ones."),
    Asked("/retention/explanation", RETENTION, explaining(retention_of),
          "The rules that decided a retention, and its counts under the other ones."),
    Asked("/trend/explanation", TREND, explaining(trend_of),
          "The rules that decided a trend, and its events and people under the other ones."),
    Asked("/stickiness/explanation", STICKINESS, explaining(stickiness_of),
          "The rules that decided a stickiness, and its counts under the other ones."),
    Asked("/lifecycle/explanation", LIFECYCLE, explaining(lifecycle_of),
          "The rules that decided a lifecycle, and its counts under the other ones."),
    Asked("/paths/explanation", PATHS, explaining(paths_of),
          "The rules that decided paths, and how many sessions went on under the other ones."),
    Asked("/sessions/explanation", SESSIONS, explaining(sessions_of),
          "The rules that decided what sessions there are, and their figures under the other ones."),
    Asked("/difference", DIFFERENCE, difference_of,
          "Which past events change sides between two versions of a definition."),
    Asked("/suggestions", SUGGESTIONS, suggestions_of,
          "Selectors for one element, ranked by what each would have gathered, with the reasons."),
    Asked("/unnamed", UNNAMED, unnamed_of,
          "Interactions that no definition matches, those of the most people first, with a name and selector each."),
    Asked("/definition-health", HEALTH, health_of,
          "Which saved definitions have fallen silent, and what seems to have taken their place."),
    Asked("/losses", LOSSES, losses_of, "How many events pages numbered that are not here."),
    Asked("/flags", FLAGS, flags_of, "The flags and variations that exposures name."),
    Asked("/live", LIVE, live_of, "The latest events, newest first."),
    Asked("/rejected", REJECTED, rejected_of, "What could not be stored, and why. For admins.", is_for_admins=True),
)  # fmt: skip


def add_questions(api: APIRouter, answer: Callable[[Question], Awaitable[JSONResponse]]) -> None:
    """A GET route for every kind of question."""
    for asked in ASKED:
        api.add_api_route(
            asked.path,
            _route(asked, answer),
            methods=["GET"],
            name=asked.path.strip("/").replace("/", "_"),
            description=asked.says,
            openapi_extra=words_schema(asked.words),
        )


def _route(
    asked: Asked, answer: Callable[[Question], Awaitable[JSONResponse]]
) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def route(request: Request) -> JSONResponse:
        if asked.is_for_admins:
            require_admin(request)
        return await answer(asked.question_of(form_of(request.query_params.multi_items())))

    return route


def _parameter(word: Word) -> dict[str, Any]:
    return {
        "name": word.name,
        "in": "query",
        "required": False,
        "description": word.says,
        "schema": schema_of(word),
    }


def words_schema(words: Iterable[Word]) -> dict[str, Any]:
    """What the parameters of these words are, as OpenAPI says it."""
    return {"parameters": [_parameter(word) for word in words]}


def given(request: Request, words: Iterable[Word]) -> Form:
    """The parameters of an address, all of which are these words."""
    form = form_of(request.query_params.multi_items())
    refuse_unknown(form, words, "this address")
    return form


def schema_of(word: Word) -> dict[str, Any]:
    """What a value of this word is, as JSON Schema says it."""
    one: dict[str, Any] = {"type": "integer" if word.is_number else "string"}
    if word.is_switch:
        one = {"type": "string", "enum": ["yes", "no"]}
    if word.choices:
        one["enum"] = list(word.choices)
    return {"type": "array", "items": one} if word.is_many else one


def body_schema(words: Iterable[Word], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a JSON body of these words is, as OpenAPI says it."""
    properties = {
        word.name: (
            {"type": "boolean", "description": word.says}
            if word.is_switch
            else schema_of(word) | {"description": word.says}
        )
        for word in words
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
