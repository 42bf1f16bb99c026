"""A question asked on the command line: a terminal sees how far it is, and Ctrl-C ends it in order."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from expost.query.analysis import Analysis
    from expost.query.answer import Answer
    from expost.query.question import Question

Part = TypeVar("Part")

QUIET_SECONDS = 1.0
"""An answer that comes sooner needs no word about how far it is."""

CANCELLED = 130
"""The status of a command that was ended by Ctrl-C, as shells have it."""


def ask(analysis: Analysis, question: Question) -> Answer:
    """The answer to a question."""
    [answer] = parts(analysis, iter_of(analysis, question))
    return answer


def iter_of(analysis: Analysis, question: Question) -> Iterator[Answer]:
    """The one answer to a question, once it is asked for."""
    yield analysis.ask(question)


def parts(analysis: Analysis, answers: Iterable[Part]) -> Iterator[Part]:
    """The parts of an answer as they come. DuckDB does not hear Ctrl-C, so the work is done in another thread."""
    teller = Teller()
    analysis.look = teller.look
    found: queue.Queue[tuple[str, Part | None, BaseException | None]] = queue.Queue()

    def work() -> None:
        try:
            for each in answers:
                found.put(("part", each, None))
            found.put(("end", None, None))
        except BaseException as problem:  # noqa: BLE001 (it is raised again in the thread that asked)
            found.put(("end", None, problem))

    thread = threading.Thread(target=work, name="question", daemon=True)
    thread.start()
    try:
        while True:
            kind, part, problem = found.get()
            teller.clear()
            if kind == "part":
                yield part  # type: ignore[misc]
            elif problem is None:
                return
            else:
                raise problem
    except KeyboardInterrupt:
        teller.is_stopped = True
        click.echo("\nCancelling …", err=True)
        thread.join()
        click.echo("Cancelled: nothing was changed.", err=True)
        sys.exit(CANCELLED)
    finally:
        teller.is_stopped = True
        thread.join()


@dataclass(slots=True)
class Teller:
    """Tells a terminal how far a question is, and the question whether somebody still waits for it."""

    is_stopped: bool = False
    _began: float = field(default_factory=time.monotonic)
    _has_told: bool = False

    def look(self, share: float | None) -> bool:
        """Show what share of its present step is done; whether to go on."""
        seconds = time.monotonic() - self._began
        if sys.stderr.isatty() and seconds >= QUIET_SECONDS:
            self._has_told = True
            done = "" if share is None else f", {share:.0%} of this step"
            click.echo(f"\r\033[K{seconds:.0f} s{done} (Ctrl-C ends it)", nl=False, err=True)
        return not self.is_stopped

    def clear(self) -> None:
        """Take the line away: the answer comes."""
        if self._has_told:
            click.echo("\r\033[K", nl=False, err=True)
