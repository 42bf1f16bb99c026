"""Memory that nobody uses any more goes back to the system: left to themselves, allocators keep it for a while."""

from __future__ import annotations

import ctypes

import pyarrow as pa


def give_back() -> None:
    """Give back what arrays and Arrow's buffers took. It takes some milliseconds, and whoever needs it again more."""
    pa.default_memory_pool().release_unused()
    # Only glibc keeps so much, and only there it can be told so.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
