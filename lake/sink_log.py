"""What the sink says: to whoever reads the log of the server, and to the process that started it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from expost.clock import from_micros, wall_clock

STANDARD_OUTPUT = 1

Say = Callable[[dict[str, object]], None]
"""Takes what the process that started this one is told. Beside a command nobody is: its output is its own."""


def log(event: str, **details: object) -> None:
    """One structured line on standard error."""
    at = from_micros(wall_clock()).isoformat()
    line = json.dumps({"at": at, "part": "sink", "event": event} | details, default=str)
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def say(said: dict[str, object]) -> None:
    """One line on standard output for the process that started this one."""
    # Whoever would read it may have been killed, and what is in the journal is moved all the same.
    with suppress(OSError):
        os.write(STANDARD_OUTPUT, json.dumps(said).encode() + b"\n")


def tell(took: str, seconds: float) -> None:
    """Say to the process that started this one what took how long."""
    say({"took": took, "seconds": round(seconds, 6)})


def in_words(problem: Exception) -> str:
    """A problem for a line of the log."""
    return f"{type(problem).__name__}: {problem}"
