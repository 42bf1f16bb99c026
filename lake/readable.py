"""What can be read of a lake while it changes and where it is damaged: for a question that must not fail for that."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from expost.errors import FolderError

from .broken import READ_PROBLEMS, BrokenFile, is_mending, note_broken, why_broken
from .folder import Folder
from .snapshot import LakeSnapshot, find_lake_snapshot

MOST_TRIES = 4
MAX_READ_SECONDS = 10.0
"""For how long it is looked which file is damaged, where the problem does not say."""

_FILE = re.compile(r"[\w.-]+\.parquet")
_IS_ABOUT_CONTENT = re.compile("parquet|compress|corrupt|magic|checksum", re.IGNORECASE)


Found = TypeVar("Found")


def read_lake(folder: Folder, read: Callable[[LakeSnapshot], Found]) -> Found:
    """What `read` makes of the newest snapshot. It may be called again, with another one.

    For what is to be whole or not at all: where a file is broken, that is an error (FolderError).
    """
    lake = ReadableLake(folder)
    while True:
        try:
            return read(lake.snapshot())
        except READ_PROBLEMS as problem:
            lake.learn(problem)
        if lake.broken:
            raise FolderError(
                f"A file of {lake.broken[0].table} cannot be read ({lake.broken[0].name}: {lake.broken[0].reason}).",
                hint="A running server sets it aside within seconds: try again. Without one: expost doctor --mend",
            )


class ReadableLake:
    """One lake as a question can read it, without the files of which a problem taught that they are broken."""

    def __init__(self, folder: Folder) -> None:
        self.broken: list[BrokenFile] = []
        self._folder = folder
        self._tries = 0

    @property
    def is_whole(self) -> bool:
        """Whether no file is known to be broken, nor its rows on their way back: then what was found can be kept."""
        return not (self.broken or is_mending(self._folder))

    @property
    def notes(self) -> tuple[str, ...]:
        """Which files are left out, in words for people who look at a number."""
        return tuple(
            f"Left out is a file of {each.table} that cannot be read ({each.name}: {each.reason}). The server sets it "
            "aside and stores again what the journal still holds of it."
            for each in self.broken
        )

    def snapshot(self) -> LakeSnapshot:
        """The newest one, without what is broken."""
        broken = {(each.table, each.name) for each in self.broken}
        try:
            found = find_lake_snapshot(self._folder.lake)
        except FolderError:
            # Entries of a log were deleted while it was read; if not, it fails again.
            found = find_lake_snapshot(self._folder.lake)
        return LakeSnapshot({
            name: table and replace(
                table, files=[file for file in table.files if (name, Path(file).name) not in broken]
            )
            for name, table in found.tables.items()
        })  # fmt: skip

    def learn(self, problem: BaseException) -> None:
        """Find out why a snapshot could not be read, so that the next one can be; raises what is no file's fault.

        A file may have been deleted since, because a newer version of its table does without it. A broken one is noted
        for the writer.
        """
        self._tries += 1
        if self._tries >= MOST_TRIES:
            raise problem
        said = f"{problem} {problem.__cause__ or ''}"
        named = set(_FILE.findall(said))
        files = {Path(file).name: Path(file) for file in self.snapshot().files}
        found = list(_find_broken(files, named, is_about_content=_IS_ABOUT_CONTENT.search(said) is not None))
        if not found and named <= files.keys():
            raise problem
        self.broken += found
        note_broken(self._folder, (self._folder.lake / each.table / each.name for each in found))


def _find_broken(
    files: Mapping[str, Path], named: Collection[str], *, is_about_content: bool
) -> Iterator[BrokenFile]:
    """Which of these files are broken: those that the problem named are read whole, others too if it named none."""
    until = time.monotonic() + (0 if named else MAX_READ_SECONDS)
    for name, path in files.items() if is_about_content or named else ():
        reason = why_broken(path, is_whole=name in named or time.monotonic() < until)
        if reason is not None:
            yield BrokenFile(path.parent.name, name, reason)
