"""How much memory a process of a bench ever held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 0.02


def peak_mb() -> float:
    """The most megabytes that this process held; `ru_maxrss` counts the one that started it, too."""
    return _megabytes("VmHWM")


@contextmanager
def own_mb() -> Iterator[list[float]]:
    """Gives the most megabytes of its own that this process holds meanwhile, mapped files left out, seen by looking.

    The system keeps no such figure. Pages of mapped files count in `peak_mb`, and are taken back when memory is short.
    """
    most = [_megabytes("RssAnon")]
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_SECONDS):
            most[0] = max(most[0], _megabytes("RssAnon"))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield most
    finally:
        is_over.set()
        looking.join()


def _megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1_024
