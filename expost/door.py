"""The Python names of Expost: `expost.open()` gives a `Lake`, which answers questions about one data folder."""

from __future__ import annotations

from pathlib import Path

from expost.door_arrival import Arrival
from expost.door_cohorts import Cohorts, did
from expost.door_definitions import Definitions
from expost.door_import import Imports
from expost.door_people import Persons
from expost.door_questions import Questions, stage
from expost.door_reports import Reports
from expost.door_words import moment_of
from expost.lake.folder import open_folder
from expost.query.analysis import Analysis
from expost.query.breakdown import Flag, Several
from expost.query.question import Moment

__all__ = ["Lake", "did", "flag", "open", "stage"]


def open(  # noqa: A001  (the name that people type: expost.open)
    path: Path | str = "expost-data",
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    cache_bytes: int | None = None,
) -> Lake:
    """The data folder at `path`, open for questions while a server may be writing to it.

    `memory_limit` (like "800MB") bounds what one question may hold; beyond it DuckDB spills to disk. `cache_bytes`
    bounds what is kept in the folder of what selectors and saved definitions matched; 0 keeps nothing.
    """
    folder = open_folder(path).path
    return Lake(Analysis(folder, memory_limit=memory_limit, threads=threads, cache_bytes=cache_bytes))


def flag(key: str, several: Several = "first", exposures_from: Moment | str | None = None) -> Flag:
    """A breakdown by the variation of each person's first exposure to this flag.

    `several` says what of a person who saw several: `first`, `exclude`, or `as_treated` (the latest at the entry).
    Exposures before `exposures_from` count as if they had never been.
    """
    since = None if exposures_from is None else moment_of("exposures_from", exposures_from)
    return Flag(key, several, since)


class Lake(Definitions, Questions, Cohorts, Reports, Arrival, Persons, Imports):
    """Questions about one data folder, as methods.

    A step is the name of a saved definition, or a `Definition` (from `define` or `event`). Every method takes what all
    questions take: `site`, `start`, `end`, `last`, `time_zone`, `bots`, `internal`, `environment`, `now`, `as_of` (see
    `expost.query.question.Question`).
    """
