"""Owner, tags, note and archive of a thing as fields of its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expost.state.details import Details

from .toml_file import value_of, values_of

DETAILS = ("owner", "tags", "note", "archived")


def details_in(data: Mapping[str, Any]) -> Details:
    """The details that a file says."""
    return Details(
        owner=value_of(data, "owner", str, ()) or "",
        tags=tuple(values_of(data, "tags", str, ())),
        note=value_of(data, "note", str, ()) or "",
        archived=value_of(data, "archived", bool, ()) or False,
    )


def details_out(details: Details) -> dict[str, Any]:
    """The details as a file says them: nothing of what is not said."""
    return {name: value for name, value in details.to_json().items() if value}
