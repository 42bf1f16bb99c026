"""What could not be stored: kept with its reason, for a person to look at."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from expost.clock import from_micros

from .batch import Accepted, Event

MAX_BYTES = 64_000
"""How much of one rejected thing is kept."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing that could not be stored. `received_at` is 0 where that cannot be read."""

    reason: str
    site: str
    received_at: int
    content: bytes

    @classmethod
    def of_event(cls, accepted: Accepted, event: Event, problem: Exception) -> Rejected:
        """An event that could not be made into a row."""
        try:
            content = msgspec.json.encode(event)
        except Exception:  # noqa: BLE001 - what cannot be stored can often not be encoded either
            content = repr(event).encode("utf-8", "backslashreplace")
        return cls(_sentence(problem), accepted.site, accepted.received_at, content)

    @classmethod
    def of_frame(cls, payload: bytes, problem: Exception) -> Rejected:
        """A frame of the journal that could not be read."""
        return cls(_sentence(problem), "", 0, payload)


def keep_rejected(folder: Path, name: str, rejected: Rejected) -> Path:
    """Write one rejected thing as `name.json` in `folder`; the same name again replaces it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    body = {
        "reason": rejected.reason,
        "site": rejected.site,
        "received_at": from_micros(rejected.received_at).isoformat() if rejected.received_at else None,
        "content": rejected.content[:MAX_BYTES].decode("utf-8", "backslashreplace"),
    }
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(body), encoding="utf-8")
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(path)
    return path


def _sentence(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"[:500]
