"""The pool: questions are answered in processes of their own, and what happens to one question happens to it alone."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from expost import pool as pool_module
from expost.errors import Cancelled, QueryLimit, UnknownDefinition, UnknownName
from expost.pool import QueryPool
from expost.query.preview import Preview
from expost.query.question import Saved
from expost.query.sandbox import SqlQuery
from expost.query_process import QueryLimits
from tests.serving import make_site

ENDLESS = "select count(*) from range(100000000) a, range(100000000) b"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pool") / "data"
    make_site(path)
    return path


def with_pool(
    data: Path, story: Callable[[QueryPool], Awaitable[None]], processes: int = 1, seconds: float = 30
):
    async def run() -> None:
        pool = QueryPool(data, processes, QueryLimits("200MB", 1, seconds))
        try:
            await story(pool)
        finally:
            pool.close()

    asyncio.run(run())


async def one(pool: QueryPool) -> object:
    return (await pool.ask(SqlQuery("select 1"))).values[0]


def query_processes() -> list[BaseProcess]:
    return [child for child in multiprocessing.active_children() if child.name == "query"]


def test_an_answer_and_a_refusal_come_back_as_they_are(data):
    async def story(pool: QueryPool) -> None:
        assert await one(pool) == (1,)
        with pytest.raises(UnknownDefinition) as caught:
            await pool.ask(Preview(Saved("Nothing")))
        assert caught.value.hint.startswith("List them with: expost definitions")
        assert await one(pool) == (1,)
        assert len(query_processes()) == 1

    with_pool(data, story)


def test_a_process_that_dies_takes_its_own_question_only(data):
    async def story(pool: QueryPool) -> None:
        await one(pool)
        [victim] = query_processes()
        doomed = asyncio.create_task(pool.ask(SqlQuery(ENDLESS)))
        await asyncio.sleep(0.3)
        other = asyncio.create_task(one(pool))
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        with pytest.raises(QueryLimit, match="ended by the system"):
            await doomed
        assert await other == (1,)
        assert await one(pool) == (1,)

    with_pool(data, story, processes=2)


def test_a_question_that_does_not_stop_by_itself_is_ended(data, monkeypatch):
    monkeypatch.setattr(pool_module, "GRACE_SECONDS", -29.0)

    async def story(pool: QueryPool) -> None:
        with pytest.raises(QueryLimit, match="stopped after 1 seconds"):
            await pool.ask(SqlQuery(ENDLESS))
        monkeypatch.setattr(pool_module, "GRACE_SECONDS", 10.0)
        assert await one(pool) == (1,)
        assert len(query_processes()) == 1

    with_pool(data, story)


def test_after_an_erasure_no_process_remembers_what_it_knew(data):
    async def story(pool: QueryPool) -> None:
        gate = asyncio.create_task(pool.ask(SqlQuery(ENDLESS)))
        await one(pool)
        before = {process.pid for process in query_processes()}
        assert len(before) == 2
        pool.renew()
        [run] = pool.running()
        pool.cancel(run.id)
        with pytest.raises(Cancelled):
            await gate
        assert await one(pool) == (1,)
        while any(process.pid in before for process in query_processes()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert len(query_processes()) == 1

    with_pool(data, story, processes=2)


def test_too_many_questions_are_refused_at_once(data, monkeypatch):
    monkeypatch.setattr(pool_module, "MAX_WAITING", 2)

    async def story(pool: QueryPool) -> None:
        waiting = [asyncio.create_task(one(pool)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueryLimit, match="2 questions are waiting"):
            await one(pool)
        assert await asyncio.gather(*waiting) == [(1,), (1,)]

    with_pool(data, story)


def test_a_question_says_how_far_it_is_and_is_cancelled_by_its_id_and_its_process_goes_on(data):
    async def story(pool: QueryPool) -> None:
        await one(pool)
        [process] = query_processes()
        asked = asyncio.create_task(pool.ask(SqlQuery(ENDLESS)))
        waiting = asyncio.create_task(one(pool))
        await until(lambda: any(run.progress is not None for run in pool.running()))
        first, second = (run.to_json() for run in pool.running())
        assert (first["question"], first["state"], second["state"]) == ("SqlQuery", "running", "waiting")
        assert 0 <= first["progress"] <= 1
        pool.cancel(first["id"])
        with pytest.raises(Cancelled):
            await asked
        assert await waiting == (1,)
        assert query_processes() == [process]
        with pytest.raises(UnknownName):
            pool.cancel(first["id"])

    with_pool(data, story)


def test_a_question_that_waits_can_be_cancelled_too(data):
    async def story(pool: QueryPool) -> None:
        asked = asyncio.create_task(pool.ask(SqlQuery(ENDLESS)))
        waiting = asyncio.create_task(one(pool))
        await until(lambda: len(pool.running()) == 2)
        pool.cancel(pool.running()[1].id)
        with pytest.raises(Cancelled):
            await waiting
        pool.cancel(pool.running()[0].id)
        with pytest.raises(Cancelled):
            await asked
        assert pool.running() == []

    with_pool(data, story)


def test_a_question_whose_asker_is_gone_stops_and_its_process_goes_on(data):
    async def story(pool: QueryPool) -> None:
        await one(pool)
        [process] = query_processes()
        asked = asyncio.create_task(pool.ask(SqlQuery(ENDLESS)))
        await until(lambda: any(run.progress is not None for run in pool.running()))
        asked.cancel()
        assert await one(pool) == (1,)
        assert query_processes() == [process]
        assert pool.running() == []

    with_pool(data, story)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds: a question of its own runs in another process."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 (the other process tells nobody)
            await asyncio.sleep(0.02)
