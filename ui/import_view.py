"""How an upload and the report of its run are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expost.clock import from_micros
from expost.errors import ExpostError
from expost.history.runs import Standing
from expost.history.sources import TABLES

from .format import moment

AGAIN_SECONDS = 2
"""A page whose run goes on loads itself anew so often."""

SHOWN_REASONS = 12
SHOWN_NAMES = 20
UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))
LABELS = {
    "posthog": "PostHog", "amplitude": "Amplitude", "mixpanel": "Mixpanel", "snowplow": "Snowplow",
    "csv": "A table of text (CSV)", "parquet": "A Parquet file",
}  # fmt: skip
STATES = {
    "uploaded": "uploaded",
    "running": "running",
    "failed": "failed",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One line of the list."""

    id: str
    name: str
    kind: str
    site: str
    size: str
    at: str
    state: str
    stored: int | None


@dataclass(frozen=True, slots=True)
class ImportsView:
    """What `imports.html` shows. `error` is why the last file was not taken."""

    rows: Sequence[ImportRow]
    most_bytes: int
    kinds: Sequence[tuple[str, str]]
    error: ExpostError | None = None

    @property
    def most(self) -> str:
        """How large a file may be."""
        return size_text(self.most_bytes)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows became no event, or are worth a look: how many, and the first of them."""

    says: str
    rows: int
    place: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """What `_import_report.html` shows of what became of the rows."""

    is_dry_run: bool
    rows: int
    stored: int
    logins: int
    memberships: int
    repeats: int
    stored_before: int
    rejected: int
    missing: int
    first: str
    last: str
    users: int
    devices: int
    reasons: Sequence[Reason]
    doubts: Sequence[Reason]
    left_behind: Sequence[tuple[str, int]]
    names: Sequence[tuple[str, int]]
    more_names: int
    samples: Sequence[Mapping[str, Any]]
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class ImportView:
    """What `import.html` shows of one upload. `mapping` is that of a table; `error` what a run failed with."""

    row: ImportRow
    state: str
    is_dry_run: bool
    is_table: bool
    mapping: str
    time_zone: str
    report: ReportView | None
    error: ExpostError | None = None
    again: int | None = None


def size_text(size_bytes: int) -> str:
    """A size as a person reads it.

    >>> size_text(5_000_000_000), size_text(1_234_567), size_text(12)
    ('5 GB', '1.2 MB', '12 bytes')
    """
    for unit, name in UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size_bytes} bytes"


def row_of(standing: Standing, zone: str) -> ImportRow:
    """An upload as the list has it."""
    upload = standing.upload
    is_trial = standing.run is not None and standing.run.is_dry_run
    done = "tried" if is_trial else "imported"
    report = standing.said.report if standing.said else None
    return ImportRow(
        upload.id,
        upload.name,
        LABELS.get(upload.kind, upload.kind),
        upload.site,
        size_text(upload.size_bytes),
        moment(from_micros(upload.uploaded_at), zone),
        STATES.get(standing.state, done),
        report["stored"] if report and not is_trial else None,
    )


def report_view(report: Mapping[str, Any]) -> ReportView:
    """A report as the page shows it."""
    rejected, doubts, names = report["rejected"], report["doubts"], list(report["names"].items())
    return ReportView(
        report["dry_run"],
        report["rows"],
        report["stored"],
        report["logins_made"],
        report["memberships_made"],
        report["duplicates"]["in_these_files"],
        report["duplicates"]["stored_before"],
        rejected["rows"],
        report["missing"],
        _shown_time(report["time_range"][0]),
        _shown_time(report["time_range"][1]),
        report["users"],
        report["devices"],
        _reasons(rejected),
        _reasons(doubts),
        list(report["left_behind"].items())[:SHOWN_REASONS],
        names[:SHOWN_NAMES],
        max(0, len(names) - SHOWN_NAMES),
        report["samples"],
        report["waits_for"] or "",
    )


def import_view(standing: Standing, zone: str, proposed: str = "") -> ImportView:
    """One upload and how it stands."""
    run, said = standing.run, standing.said
    error = said.error if said and standing.state == "failed" else None
    return ImportView(
        row_of(standing, zone),
        standing.state,
        bool(run and run.is_dry_run),
        standing.upload.kind in TABLES,
        (run.mapping if run else "") or proposed,
        run.time_zone if run else "",
        report_view(said.report) if said and said.report else None,
        _error(error) if error else None,
        AGAIN_SECONDS if standing.state == "running" else None,
    )


def _reasons(said: Mapping[str, Any]) -> list[Reason]:
    counts = list(said["reasons"].items())
    examples = dict(zip(said["reasons"], said["examples"], strict=False))
    return [
        Reason(
            example["reason"] if (example := examples.get(kind)) else kind,
            rows,
            f"{example['file']}, row {example['row']:,}" if example else "",
            example["hint"] if example else "",
        )
        for kind, rows in counts[:SHOWN_REASONS]
    ]


def _error(said: Mapping[str, str]) -> ExpostError:
    """What a run failed with, as it told it."""
    error = ExpostError(said["message"], hint=said["hint"])
    error.code = said["code"]
    return error


def _shown_time(said: str | None) -> str:
    return "–" if said is None else said.replace("T", " ").replace("+00:00", " UTC")
