"""How much memory a process may take while it runs SQL that somebody wrote: a bound for what its engine does not count.

DuckDB counts its buffers, and not what a single value needs: `repeat('x', 2000000000)`, or a list of all numbers below
a billion, would take all that the machine has, and the system then ends whichever process it likes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expost.settings import bytes_of

PAGES_OF_DATA = 5
"""The place of the pages that are the process's own among the numbers of `/proc/self/statm`."""


@contextmanager
def taking_at_most(limit: str | None) -> Iterator[None]:
    """From here on the process takes at most `limit` (like "600MB") more than it has: beyond it, nothing is given.

    Only Linux counts what a process takes for itself; elsewhere, and without a limit, nothing is bounded.
    """
    most = None if limit is None else bytes_of(limit)
    if most is None or sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    soft, hard = before
    bound = _own_bytes() + most
    bounds = [each for each in (bound, soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _own_bytes() -> int:
    import resource

    pages = Path("/proc/self/statm").read_text("ascii").split()
    return int(pages[PAGES_OF_DATA]) * resource.getpagesize()
