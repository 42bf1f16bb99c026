"""Developers' machines and other environments than production, from the request to the number."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import expost
from expost.ids import uuid7
from expost.state.database import State
from expost.state.sites import change_site
from tests.serving import Serving, events_in_lake, make_site

PUBLIC, LOCAL = "https://shop.example", "http://localhost:3000"


def send(serving: Serving, key: str, origin: str, **head: Any) -> str:
    """One view of a page of `origin`, by a browser that was never seen before; the id of its event."""
    micros = time.time_ns() // 1_000
    view = {"id": uuid7(micros), "type": "page_view", "t": 0.0, "seq": 1, "view": 0}
    batch = {
        "v": 1, "sent_at": micros / 1_000, "page": {"id": uuid7(micros), "start": micros / 1_000, "ordinal": 1},
        "device": uuid7(micros), "session": 1, "consent": "full", "views": [{"url": f"{origin}/"}],
        "descriptors": [], "elements": [], "events": [view],
    }  # fmt: skip
    headers = {"Origin": origin, "User-Agent": "Mozilla/5.0 Chrome/140.0.0.0", "Content-Type": "text/plain"}
    request = Request(f"{serving.url}/e?k={key}", json.dumps(batch | head).encode(), headers)
    with urlopen(request, timeout=10) as answer:
        assert answer.status == 204
    return str(view["id"])


def numbers(data: Path, **asked: Any) -> tuple[int, dict[str, int]]:
    """The views that count, and those that are left out by reason."""
    answer = expost.open(data).preview(view="/**", **asked)
    return answer.events, {each.reason: each.events for each in answer.basis.left_out}


def test_pages_on_localhost_and_other_environments_count_when_question_or_site_says_so(tmp_path):
    data = tmp_path / "data"
    key = make_site(data, origins=(PUBLIC, LOCAL))
    with Serving(data) as serving:
        sent = {
            send(serving, key, PUBLIC),
            send(serving, key, LOCAL),
            send(serving, key, PUBLIC, environment="staging"),
            send(serving, key, PUBLIC, environment="test"),
        }
        assert sent <= events_in_lake(data, sent).keys()

    assert numbers(data) == (1, {"internal": 1, "environment": 2})
    assert numbers(data, internal=True) == (2, {"environment": 2})
    assert numbers(data, environment="all") == (3, {"internal": 1})
    assert numbers(data, environment="staging") == (1, {"internal": 1, "environment": 2})

    state = State(data / "state.sqlite")
    change_site(state, "shop", count_internal=True, environments=("production", "staging"))
    state.close()
    assert numbers(data) == (3, {"environment": 1})
    assert numbers(data, internal=False, environment="production") == (1, {"internal": 1, "environment": 2})
