"""Which Python runs the bench: two builds of one version differ by more than many a change to the code."""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path


def interpreter() -> str:
    """Its version, where it comes from, and how it was built as far as it says so."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    executable = Path(sys.executable).resolve()
    return (
        f"Python {platform.python_version()} of {executable.parent}, "
        f"{'' if '--enable-optimizations' in options else 'not '}configured with --enable-optimizations, "
        f"{'in a shared library' if _is_shared() else 'not in a shared library'}"
    )


def _is_shared() -> bool:
    try:
        return "libpython" in Path("/proc/self/maps").read_text()
    except OSError:
        return bool(sysconfig.get_config_var("Py_ENABLE_SHARED"))
