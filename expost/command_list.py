"""How `--help` lists the commands of a group: under headings, each with the whole first sentence of what it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click

HEADINGS = {
    "Begin": ("serve", "demo", "sites", "accounts", "import"),
    "Name events": ("preview", "define", "definitions", "suggest", "unnamed", "live"),
    "Ask": (
        "trend", "funnel", "retention", "paths", "stickiness", "lifecycle", "sessions", "people", "cohorts", "flags",
        "reconcile", "sql",
    ),
    "Keep questions": ("report", "reports", "dashboard", "dashboards"),
    "Look after the folder": (
        "doctor", "losses", "rejected", "journal", "compact", "enrich", "backup", "restore",
    ),
    "Rights": ("export-person", "erase", "erasures", "audit"),
}  # fmt: skip
"""Under which heading each command of `expost` stands, in the order in which somebody new needs them."""

NO_LIMIT = 1_000


class ListedGroup(click.Group):
    """A group whose help cuts no sentence short: a long one goes on below."""

    headings: ClassVar[Mapping[str, Sequence[str]]] = {}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, in the order of their headings or, without any, of their names."""
        for heading, names in (self.headings or {"Commands": self.list_commands(ctx)}).items():
            with formatter.section(heading):
                formatter.write_dl([(name, _sentence(self.get_command(ctx, name))) for name in names])


def _sentence(command: click.Command | None) -> str:
    return command.get_short_help_str(NO_LIMIT) if command else ""
