"""What must hold: a line for each bound that says what was found and whether it is held."""

from __future__ import annotations

missed: list[str] = []
"""The bounds that were not held so far."""


def must(
    what: str, found: float, *, at_least: float | None = None, at_most: float | None = None, note: str = ""
) -> None:
    """Print one bound, what was found, and "held" or "not held"."""
    is_held = found >= at_least if at_least is not None else found <= (at_most or 0)
    bound = f"at least {at_least:,g}" if at_least is not None else f"at most {at_most:,g}"
    shown = f"{found:,.0f}" if abs(found) >= 1_000 else f"{found:.3g}"
    print(
        f"{what}: {shown} ({bound}{', ' + note if note else ''}): {'held' if is_held else 'not held'}",
        flush=True,
    )
    if not is_held:
        missed.append(what)
