"""How much memory a process of a bench ever held."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """The most megabytes that this process held; `ru_maxrss` counts the one that started it, too."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1_024
