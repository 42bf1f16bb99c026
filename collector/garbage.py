"""How often Python looks for cycles: batches are trees of many small objects, and none of them holds any."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 20)


def collect_seldom() -> None:
    """Leave what is loaded by now out of every collection, and look at the young a seventieth as often as usual."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
