"""A data folder, open for questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from expost.clock import Clock, wall_clock
from expost.errors import NotBuilt

from .answer import Answer
from .definition import Definition
from .question import Question


class Analysis:
    """A data folder, open for questions. Each question reads the newest snapshot; the folder may be in use.

    `memory_limit` (like "800MB"), `threads` and `max_seconds` bound each question: past them it ends in QueryLimit.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        max_seconds: float | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        self.folder = Path(folder)
        self.memory_limit = memory_limit
        self.threads = threads
        self.max_seconds = max_seconds
        self.clock = clock

    def ask(self, question: Question) -> Answer:
        """The answer to a question of this module's kinds."""
        raise NotBuilt(f"{type(question).__name__} is not built yet.")

    def define(self, definition: Definition, *, site: str | None = None, author: str = "") -> Definition:
        """The definition as saved: a new version when its meaning differs from the latest one of that name."""
        raise NotBuilt("Saving definitions is not built yet.")

    def definitions(self, *, site: str | None = None) -> list[Definition]:
        """The latest version of every saved definition, by name."""
        raise NotBuilt("Saved definitions are not built yet.")

    def definition(self, name: str, version: int | None = None, *, site: str | None = None) -> Definition:
        """One saved definition, its latest version unless one is given."""
        raise NotBuilt("Saved definitions are not built yet.")

    def history(self, name: str, *, site: str | None = None) -> list[dict[str, Any]]:
        """Every version of a definition, oldest first."""
        raise NotBuilt("Saved definitions are not built yet.")
