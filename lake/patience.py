"""When an erasure that failed is tried again: each try costs a writer, and reads much of the lake."""

from __future__ import annotations

import time
from dataclasses import dataclass

PAUSES = (10.0, 60.0, 600.0, 3_600.0)
"""Seconds after the first failure in a row, the second, and so on."""


@dataclass
class Patience:
    """What is remembered of erasures that fail, over the writers that they cost: how often, and when to try again.

    `seen` is the state of the folder of erasures at the last try: what is asked for anew need not wait.
    """

    failures: int = 0
    again_at: float = 0.0
    seen: int = 0

    def is_due(self, state: int) -> bool:
        """Whether to try, when the folder of erasures is in this state."""
        return state != self.seen or time.monotonic() >= self.again_at

    def fail(self, state: int) -> float:
        """Note that a try failed, which left the folder in this state; how many seconds until the next one."""
        pause = PAUSES[min(self.failures, len(PAUSES) - 1)]
        self.failures += 1
        self.again_at = time.monotonic() + pause
        self.seen = state
        return pause

    def succeed(self) -> None:
        """Note that a try went well."""
        self.failures = 0
