"""How the server is, and what it counts, over HTTP from a real one; and the sentences of a bad day from parts."""

from __future__ import annotations

import errno
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from expost.clock import wall_clock
from expost.health import find_health
from expost.lake.disk import Disk
from expost.lake.folder import open_folder
from expost.lake.journal import Journal
from tests.lake.test_sink import wait_until
from tests.serving import Serving, make_site
from tests.torture.test_kill import Sender


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    data = tmp_path_factory.mktemp("metrics") / "data"
    key = make_site(data)
    with Serving(data) as running:
        sender = Sender(1, key, running.port)
        batches = [sender._batch() for _ in range(3)]
        for batch in batches:
            assert sender._is_acknowledged(batch, [event["id"] for event in batch["events"]])
        # Browsers send again what may not have arrived.
        assert sender._is_acknowledged(batches[0], [])
        bad = {**sender._batch(), "events": [{"id": "no", "type": "click"}]}
        assert sender._is_acknowledged(bad, [])
        yield running


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figures(serving: Serving) -> dict[str, float]:
    status, text = get(f"{serving.url}/metrics")
    assert status == 200
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_what_was_sent_again_and_is_in_the_lake_already_is_counted(serving: Serving) -> None:
    wait_until(lambda: figures(serving)["expost_events_stored_before_total"] == 8)


def test_a_server_in_order_says_ready(serving: Serving) -> None:
    status, body = get(f"{serving.url}/health")
    assert (status, json.loads(body)) == (200, {"status": "ready", "takes_events": True, "reasons": []})


def test_what_was_acknowledged_rejected_and_synced_is_counted(serving: Serving) -> None:
    found = figures(serving)
    assert found["expost_ready"] == 1
    assert found["expost_answers_total{status=204}"] == 5
    assert found["expost_events_accepted_total"] == 32
    assert found["expost_events_conflicting_total"] == 0
    assert found["expost_events_conflicting_with_stored_total"] == 0
    assert (
        sum(value for name, value in found.items() if name.startswith("expost_events_rejected_total{")) == 1
    )
    assert found["expost_acknowledgement_seconds_count"] == 5
    assert found["expost_acknowledgement_seconds_bucket{le=+Inf}"] == 5
    assert found["expost_journal_batches_total"] == 4
    assert 1 <= found["expost_journal_groups_total"] <= 4
    assert found["expost_connections"] >= 1
    assert found["expost_sink_starts_total"] == 1
    for name in ("expost_backlog_bytes", "expost_backlog_age_seconds", "expost_journal_waiting_bytes"):
        assert found[name] >= 0
    for table in ("events", "elements"):
        assert f"expost_lake_rows{{table={table}}}" in found
    assert "expost_missing_events{site=shop}" in found
    assert "expost_commit_seconds_count" in found
    assert found["expost_compaction_seconds_count"] == 0


def test_every_figure_stands_in_the_papers_by_the_name_that_a_query_has_to_use(serving: Serving) -> None:
    words = (Path(__file__).parents[1] / "docs" / "operations.md").read_text("utf-8")
    _, text = get(f"{serving.url}/metrics")
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(names) > 20
    assert [name for name in names if f"`{name}`" not in words] == []


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(open_folder(tmp_path / "data", create=True), wall_clock)
    yield found
    found.close()


def test_a_disk_that_takes_nothing_is_degraded_and_takes_no_events(journal: Journal) -> None:
    def refuse(descriptor: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal._disk = Disk(write=refuse)
    with pytest.raises(Exception, match="No space"):
        journal.write(b"x")
    health = find_health(journal, True)
    assert (health.status, health.is_taking) == ("degraded", False)
    assert "No space left" in health.reasons[0]


def test_a_sink_that_is_gone_a_lake_that_is_late_and_a_full_disk_are_said(journal: Journal) -> None:
    journal.write(b"x")
    journal.seal()
    found = find_health(
        journal, False, now=lambda: wall_clock() / 1e6 + 3_600, free_bytes=lambda _: 5_000_000
    )
    assert (found.status, found.is_taking) == ("degraded", True)
    sink, late, full = found.reasons
    assert "not running" in sink
    assert re.search(r"3,[56]\d\d seconds behind", late)
    assert "5 MB left" in full


def test_a_person_who_could_not_be_erased_is_said(journal: Journal) -> None:
    assert find_health(journal, True, not_erased=0).reasons == ()
    [reason] = find_health(journal, True, not_erased=2).reasons
    assert reason.startswith("2 people could not be erased yet")


def test_a_folder_that_was_deleted_is_said(tmp_path: Path) -> None:
    missing = SimpleNamespace(problem=None, directory=tmp_path / "gone")
    health = find_health(missing, True)  # type: ignore[arg-type]
    assert "cannot be looked at" in health.reasons[0]
