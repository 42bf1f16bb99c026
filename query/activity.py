"""Any activity: the one definition that is there without being saved, in every question."""

from __future__ import annotations

from .alternative import Alternative
from .definition import Definition

ACTIVITY = Definition(
    "Any activity",
    (Alternative(types=("click", "auxclick", "change", "submit", "page_view", "custom")),),
    version=0,
)
"""What somebody does who does anything: questions know it by its name, unless a definition of that name is saved."""

RULE = (
    "It is built in: what somebody does who does anything, a click, change, submit, page view or custom event. "
    "What a page says by itself (that it was left, who somebody is, which variation was shown) is none, nor are types "
    "that the site listens to besides. Version 0 is its only one; what is saved under its name stands in its place."
)
"""The same in words, for whoever looks at it."""
