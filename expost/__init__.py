"""Product analytics asked afterwards: open a data folder and ask.

import expost

lake = expost.open("expost-data")
signup = lake.define("Signed up", click="form.signup button[type=submit]")
answer = lake.funnel("Viewed pricing", signup, within="7 days", by=expost.flag("new-checkout"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expost.door import Lake, did, flag, open, stage

__all__ = ["Lake", "did", "flag", "open", "stage"]


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    # The door needs DuckDB and Polars; a collector process that imports `expost.errors` must not load them.
    if name in __all__:
        from expost import door

        return getattr(door, name)
    raise AttributeError(f"module 'expost' has no attribute {name!r}")
