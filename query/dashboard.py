"""Dashboards: lists of reports under a name, shown on one page over one range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from expost.errors import InvalidInput
from expost.state.details import Details
from expost.state.reports import DASHBOARDS
from expost.state.shelf import Kept

from .form import Form, common_of
from .report import OVER

MOST_REPORTS = 40


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The names of reports, in order, and what is said over all of them: a range, a time zone."""

    shelf = DASHBOARDS

    name: str
    reports: tuple[str, ...]
    over: Form = field(default_factory=dict)
    version: int | None = None
    author: str = ""
    created_at: int | None = None
    details: Details = Details()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        if not 1 <= len(self.reports) <= MOST_REPORTS:
            raise InvalidInput(
                f"A dashboard lists 1 to {MOST_REPORTS} reports; this one lists {len(self.reports)}.",
                hint='For example: expost dashboards save "Weekly" "Checkout" "Signups"',
            )
        unknown = sorted(set(self.over) - set(OVER))
        if unknown:
            raise InvalidInput(
                f"{unknown[0]!r} cannot be said over a dashboard.", hint=f"What can: {', '.join(OVER)}."
            )
        common_of(self.over)

    def body(self) -> dict[str, Any]:
        """What is kept of it as one version."""
        over = {name: list(self.over[name]) for name in OVER if name in self.over}
        return {"reports": list(self.reports), "over": over}

    def __str__(self) -> str:
        more = [
            f"{name.replace('_', ' ')} {', '.join(values)}" for name, values in self.body()["over"].items()
        ]
        return ", ".join(self.reports) + (f" ({'; '.join(more)})" if more else "")

    def to_json(self) -> dict[str, Any]:
        """The dashboard with all that is kept of it."""
        from .saved import said_at

        return (
            {"name": self.name, "version": self.version}
            | self.body()
            | {
                "author": self.author,
                "created_at": None if self.created_at is None else said_at(self.created_at),
            }
            | self.details.to_json()
        )

    @classmethod
    def of_kept(cls, kept: Kept, details: Details = Details()) -> Dashboard:  # noqa: B008 - frozen
        """The dashboard that a version on the shelf is."""
        reports: Sequence[str] = kept.body["reports"]
        return cls(
            kept.name,
            tuple(reports),
            kept.body["over"],
            kept.version,
            kept.author,
            kept.created_at,
            details,
        )
