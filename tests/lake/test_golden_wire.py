"""Golden batches of every released wire version are read for ever: each one goes into the lake whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from expost.clock import wall_clock
from expost.collector.accept import Sender, accept
from expost.collector.daily import DailyIds
from expost.collector.descriptors import Descriptors
from expost.collector.keyring import Grant
from expost.collector.masks import Masks
from expost.lake.batch import Accepted
from expost.lake.folder import open_folder
from expost.lake.reader import connect
from expost.lake.writer import ingest

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "wire").glob("*.json"))
SENDER = Sender(
    Grant("shop", kind="write", origins=frozenset(), has_public_origin=False), "127.0.0.1", "Firefox"
)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_batch_is_in_the_lake_with_every_event_and_element(golden: Path, tmp_path: Path) -> None:
    body = golden.read_bytes()
    batch = json.loads(body)
    received_at = round(batch["sent_at"] * 1_000) + 20_000
    verdict = accept(body, SENDER, received_at, Descriptors(Masks()), DailyIds(wall_clock, None))
    assert verdict.payload is not None
    folder = open_folder(tmp_path, create=True)
    result = ingest(folder, 1, [msgspec.msgpack.decode(verdict.payload, type=Accepted)])
    assert (result.stored, list(result.rejected)) == (len(batch["events"]), [])
    with connect(tmp_path) as connection:
        rows = connection.execute("select event_id, type, element_id, page_seq from events").fetchall()
        chains = connection.execute("""
            select event_id, list(tag order by distance)
            from (
                select event_id, element_id as ancestor_id, 0 as distance from lake.events
                union all
                select event_id, ancestor_id, distance
                from lake.events join lake.element_ancestors using (element_id)
            ) as chain
            join lake.elements as elements on elements.element_id = ancestor_id
            join lake.descriptors using (descriptor_id)
            group by event_id
        """).fetchall()
    assert {row[0]: (row[1], row[2] is not None, row[3]) for row in rows} == {
        event["id"]: (event["type"], event.get("el", -1) >= 0, event["seq"]) for event in batch["events"]
    }
    assert dict(chains) == {
        event["id"]: tags_above(batch, event["el"]) for event in batch["events"] if event.get("el", -1) >= 0
    }


def tags_above(batch: dict[str, Any], place: int) -> list[str]:
    """The tags from the element at `place` to the top, read off the wire."""
    tags = []
    while place >= 0:
        descriptor, parent = (*batch["elements"][place], -1)[:2]
        tags.append(batch["descriptors"][descriptor][0])
        place = parent
    return tags
