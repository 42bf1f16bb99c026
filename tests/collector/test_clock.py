"""The clock of the machine is set under us: the order stays, `received_at` follows, and it is written down."""

from __future__ import annotations

import asyncio

import pytest

from expost.collector import service
from expost.state.audit import audit_lines

from .conftest import NOW, Desk, batch, click, event_id

DAY = 86_400_000_000


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a day on", "a day back"])
def test_a_clock_that_is_set_changes_no_order_and_is_noted(
    desk: Desk, jump: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "CLOCK_SECONDS", 0.005)

    async def set_the_clock() -> None:
        await desk.collector.startup()
        await asyncio.sleep(0)
        desk.now += jump
        async with asyncio.timeout(10):
            while not desk.collector.tally.clock_jumps:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await desk.collector.shutdown()

    desk.send(batch(click(1)))
    asyncio.run(set_the_clock())
    desk.send(batch(click(2)))
    kept = desk.kept()
    assert [each.events[0].id for each in kept] == [event_id(1), event_id(2)]
    assert [each.received_at for each in kept] == [NOW, NOW + jump]
    [line] = [line for line in audit_lines(desk.state, limit=10) if line.action == "clock set"]
    assert f"{jump // 1_000_000:+,.0f} seconds" in line.detail
    assert "clock of this machine was set" in caplog.text
    assert desk.collector.tally.clock_jumps == 1
