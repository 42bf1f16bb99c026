"""A selector for each level of an element chain, for people who point instead of typing CSS.

Told by looks and by what history says of ids and classes: `suggested.py` asks history about each candidate. Every
suggestion surely matches the element that it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence

from .candidate import candidates
from .level import Level
from .ranking import expected
from .token import Lives


def suggestions(chain: Sequence[Level], lives: Lives | None = None) -> tuple[str, ...]:
    """One selector for each level of `chain`, which goes from the target outwards."""
    return tuple(suggestion(chain[place:], lives) for place in range(len(chain)))


def suggestion(chain: Sequence[Level], lives: Lives | None = None) -> str:
    """A selector for the first of `chain`."""
    return expected(candidates(chain, lives=lives))[0].selector
