"""Whatever is sent to the API, it is the sender who is told what was wrong with it: there is no 5xx."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from expost.access import Access
from expost.app import create_inside
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.settings import Settings
from expost.state.database import State
from expost.state.sites import Site, add_site
from tests.story import Story, small_rich_lake

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
"""A longer run by hand: SCHEMATHESIS_EXAMPLES=300 .venv/bin/pytest tests/test_schemathesis.py"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The API over a small rich lake, without the processes and the gate in front of it."""
    story = small_rich_lake(Story(tmp_path_factory.mktemp("api") / "data"))
    story.store()
    analysis = Analysis(story.path, threads=1, memory_limit="500MB", max_seconds=20)
    add_site(analysis.state, Site("shop", "Shop"))
    analysis.define(definition("Viewed", view="/**"))
    analysis.define(definition("Bought", click="button.buy"))

    async def call(method: str, *arguments: Any, **named: Any) -> Any:
        return getattr(analysis, method)(*arguments, **named)

    access = Access(State(analysis.folder.state_path), Settings(data=story.path))
    yield create_inside(call, tuple, access)
    access.close()
    analysis.close()


def _operations(api: FastAPI) -> list[Any]:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", api)
    found: list[Any] = list(schema.get_all_operations())
    return [each.ok() for each in found]


def test_no_request_that_the_schema_describes_or_nearly_does_gets_a_5xx(api: FastAPI) -> None:
    operations = _operations(api)
    assert len(operations) > 40
    wrong: list[str] = []
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            # Where everything is allowed there is nothing that is not.
            with suppress(Unsatisfiable):
                _ask(operation, mode, wrong)
    assert not wrong, "\n".join(wrong)


def _ask(operation: Any, mode: GenerationMode, wrong: list[str]) -> None:
    @seeded(6)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        response = case.call()
        if response.status_code >= 500:
            wrong.append(f"{response.status_code} {case.as_curl_command()} {response.text[:300]}")

    each()
