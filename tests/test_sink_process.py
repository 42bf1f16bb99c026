"""The serving process tells its sink what to keep: at each start of it, and when a day begins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from expost.errors import FolderError
from expost.lake.moment import DAY
from expost.sink_process import SinkProcess

KEEP: Mapping[str, int | None] = {"shop": 25, "blog": None}


class Child:
    """Stands for the sink: keeps the lines that it is given, and lives until it is told to die."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.returncode: int | None = None
        self.stdin = self
        self.stdout = asyncio.StreamReader()
        self._dead = asyncio.Event()

    def is_closing(self) -> bool:
        return self._dead.is_set()

    def write(self, data: bytes) -> None:
        self.lines.put_nowait(data.decode())

    def say(self, line: bytes) -> None:
        self.stdout.feed_data(line)

    def die(self) -> None:
        self.stdout.feed_eof()
        self.returncode = -9
        self._dead.set()

    async def wait(self) -> int | None:
        await self._dead.wait()
        return self.returncode


class Parent:
    """A `SinkProcess` whose children are played and whose clock is set by hand."""

    def __init__(self, keep_months: Callable[[], Mapping[str, int | None]]) -> None:
        self.day = 20_000
        self.children: asyncio.Queue[Child] = asyncio.Queue()
        self.looks = asyncio.Semaphore(0)
        self.erased: asyncio.Queue[None] = asyncio.Queue()
        self.sink = SinkProcess(
            Path("data"), keep_months, self._clock, when_erased=lambda: self.erased.put_nowait(None)
        )

    async def spawn(self, *_: object, **__: object) -> Child:
        self.children.put_nowait(child := Child())
        return child

    def _clock(self) -> int:
        self.looks.release()
        return self.day * DAY + 5


Story = Callable[[Parent, Child], Awaitable[None]]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def play(story: Story, keep_months: Callable[[], Any] = lambda: KEEP) -> None:
        async def played() -> None:
            parent = Parent(keep_months)
            monkeypatch.setattr("expost.sink_process.asyncio.create_subprocess_exec", parent.spawn)
            await parent.sink.start()
            child = await parent.children.get()
            async with asyncio.timeout(20):
                await story(parent, child)
            child.die()
            await parent.sink.stop()

        monkeypatch.setattr("expost.sink_process.LOOK_SECONDS", 0.001)
        asyncio.run(played())

    return play


def test_it_is_told_at_the_start_and_once_for_each_day_that_begins(play: Callable[..., None]) -> None:
    async def story(parent: Parent, child: Child) -> None:
        assert json.loads(await child.lines.get()) == {"keep_months": KEEP}
        for _ in range(2):
            parent.day += 1
            assert json.loads(await child.lines.get()) == {"keep_months": KEEP}
            for _ in range(50):
                await parent.looks.acquire()
            assert child.lines.empty()

    play(story)


def test_one_that_died_is_told_when_it_starts_again(play: Callable[..., None]) -> None:
    async def story(parent: Parent, child: Child) -> None:
        child.die()
        second = await parent.children.get()
        assert json.loads(await second.lines.get()) == {"keep_months": KEEP}
        second.die()

    play(story)


def test_what_a_sink_erased_that_was_killed_before_it_said_so_is_forgotten_all_the_same(
    play: Callable[..., None],
) -> None:
    async def story(parent: Parent, child: Child) -> None:
        assert parent.erased.empty()
        child.die()
        await parent.erased.get()
        second = await parent.children.get()
        second.die()

    play(story)


def test_a_state_that_cannot_be_read_is_said_and_tried_again_the_next_day(
    play: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    refusals = [FolderError("No state.", hint="Look for it.")]

    def keep_months() -> Mapping[str, int | None]:
        if refusals:
            raise refusals.pop()
        return KEEP

    async def story(parent: Parent, child: Child) -> None:
        assert child.lines.empty()
        assert "nothing is removed today: No state. Look for it." in caplog.text
        parent.day += 1
        assert json.loads(await child.lines.get()) == {"keep_months": KEEP}

    play(story, keep_months)


def test_what_it_says_is_counted_and_an_erasure_passed_on(
    play: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(parent: Parent, child: Child) -> None:
        child.say(b'{"took": "commit", "seconds": 0.5}\n')
        child.say(b'{"stored_before": 3, "conflicts": 2}\n')
        child.say(b"what?\n")
        child.say(b'{"erased": 2}\n')
        await parent.erased.get()
        assert parent.erased.empty()
        assert parent.sink.timings["commit"].sum == 0.5
        assert (parent.sink.stored_before, parent.sink.conflicts) == (3, 2)
        assert "not understood: b'what?\\n'" in caplog.text

    play(story)
