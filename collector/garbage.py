"""How often Python looks for cycles: batches are trees of many small objects, and none of them holds any."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 20)


@contextmanager
def loading() -> Iterator[None]:
    """Look for no cycles while modules are loaded: nothing of them is ever freed, and looking is a sixth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def collect_seldom() -> None:
    """Leave what is loaded by now out of every collection, and look at the young a seventieth as often as usual."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
