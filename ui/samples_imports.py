"""Made-up uploads in every state, for the patterns page and for tests."""

from __future__ import annotations

from typing import Any

from expost.clock import to_micros
from expost.history.runs import Standing
from expost.history.uploads import Run, Said, Upload

from .samples import LONG, NASTY, NOW

AT = to_micros(NOW)


def upload(name: str = "export.zip", kind: str = "posthog") -> Upload:
    """A file that was uploaded."""
    return Upload("0123456789ab", name, kind, "teashop", 482_113_904, AT, "ann")


def report(*, is_dry_run: bool = False, **said: Any) -> dict[str, Any]:
    """What became of its rows."""
    reason = "its timestamp '02.03.2026 10:00' is no time as ISO 8601 writes it"
    hint = 'A mapping says how times are written, for example: time_format = "%d.%m.%Y %H:%M".'
    doubt = "its timestamp '2025-10-26 02:30' stands twice on the clock of Europe/Berlin: the first is taken"
    whole: dict[str, Any] = {
        "source": "posthog", "site": "teashop", "dry_run": is_dry_run, "files": 1, "rows": 1_204_518,
        "stored": 1_204_000, "logins_made": 3_118, "memberships_made": 12,
        "duplicates": {"in_these_files": 411, "stored_before": 0},
        "rejected": {
            "rows": 107, "reasons": {"its timestamp …": 106, "nasty": 1}, "file": "rejects.ndjson",
            "examples": [{"file": "export.zip/events.csv", "row": 17, "reason": reason, "hint": hint},
                         {"file": NASTY, "row": 1, "reason": NASTY, "hint": LONG}],
        },
        "doubts": {
            "reasons": {"its timestamp … stands twice": 2},
            "examples": [{"file": "export.zip/events.csv", "row": 90_211, "reason": doubt, "hint": ""}],
        },
        "missing": 0, "time_range": ["2024-01-02T09:00:00+00:00", "2026-11-20T17:43:10+00:00"], "users": 8_211,
        "devices": 30_992, "names": {"page_view": 900_100, "click": 300_000, NASTY: 3_900},
        "left_behind": {"element: its elements_chain cannot be read at …": 12},
        "samples": [
            {"time": "2024-01-02T09:00:00+00:00", "type": "page_view", "device": "0189-77f2", "user": "ann",
             "url": "https://teashop.example/tea/assam", "properties": '{"plan":"pro"}'},
            {"time": "2024-01-02T09:00:04+00:00", "type": "custom", "name": NASTY, "user": LONG, "properties": "{}"},
        ],
        "waits_for": None, "seconds": 81.2,
    }  # fmt: skip
    return whole | said


def standing(state: str, *, is_dry_run: bool = False, **said: Any) -> Standing:
    """An upload in this state, after a run."""
    run = Run(1, is_dry_run, AT, "ann")
    return Standing(upload(), state, run, Said(1, state, AT, report(is_dry_run=is_dry_run), **said))


FAILED = {
    "code": "no_room",
    "message": "A file cannot be read or written: No space left on device.",
    "hint": "Make room on the disk and run it again: what was stored is not stored twice.",
}
MAPPING = """# Columns and some of their values:
# ts: 2026-03-02 10:00, 2026-03-02 11:00
# customer: ann, bob

time = "ts"
time_format = "iso"
user = "customer"
name = "Imported"
"""

STATES = (
    ("nothing done yet", Standing(upload(), "uploaded")),
    ("a table", Standing(upload("log.csv", "csv"), "uploaded", Run(0, True, AT, mapping=MAPPING))),
    ("begins", Standing(upload(), "running", Run(1, False, AT))),
    ("running", standing("running")),
    (
        "waits for the server",
        Standing(
            upload(),
            "running",
            Run(1, False, AT),
            Said(1, "running", AT, report(waits_for="The disk is full.")),
        ),
    ),
    ("tried", standing("done", is_dry_run=True)),
    ("imported", standing("done")),
    ("failed", standing("failed", error=FAILED)),
    ("interrupted", standing("interrupted")),
    ("an overlong name", Standing(upload(LONG), "uploaded")),
)
