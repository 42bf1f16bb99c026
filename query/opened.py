"""An open data folder: what its parts, one for each thing that it keeps, have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

import pyarrow as pa

from expost.clock import Clock
from expost.errors import FolderError
from expost.lake.folder import Folder
from expost.lake.snapshot import LakeSnapshot
from expost.state.audit import Actor, note
from expost.state.database import State

from .answer import Answer
from .question import Question


class OpenedFolder(ABC):
    """A folder, the small state in it, and a clock."""

    folder: Folder
    state: State
    clock: Clock

    @abstractmethod
    def ask(self, question: Question) -> Answer:
        """The answer to a question: the question, and the answer beside it."""

    @abstractmethod
    def _supposing(
        self, supposed: pa.Table | None, snapshot: LakeSnapshot
    ) -> AbstractContextManager[Callable[[Question], Answer]]:
        """What answers questions of a snapshot with these edges as if they were recorded."""

    def _note(self, by: Actor, action: str, subject: str, detail: str) -> None:
        """Write a line of the audit, before what it tells of: what nobody would know of is not done."""
        try:
            with self.state.writing() as connection:
                note(connection, self.clock(), by, action, subject, detail)
        except FolderError as problem:
            raise FolderError(
                f"The audit does not take a line, so nothing more is done: {problem.message}",
                hint=problem.hint,
            ) from problem
