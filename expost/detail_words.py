"""What is said over HTTP about a thing that is kept beside its meaning: owner, tags, note, archive, an old version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expost.errors import InvalidInput
from expost.query.form import Form, one, whole_number
from expost.query.form_seen import SITE
from expost.query.word import Word, checked_body

DETAILS = (
    SITE,
    Word("owner", "Who answers for it; empty: nobody.", "growth"),
    Word("tags", "All its tags; what is not named goes.", "activation", is_many=True),
    Word("note", "What a reader should know; empty: nothing.", "Counts both forms."),
    Word("archived", "Whether it is listed no longer.", is_switch=True),
)
LISTED = (SITE, Word("archived", "Those in the archive instead.", is_switch=True))
ROLLBACK = (SITE, Word("version", "The version to say again.", "1", is_number=True))
LONGEST = {"owner": 200, "tags": 200, "note": 10_000}
MOST_TAGS = 100


def checked_details(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of it; what is not given stays."""
    wanted = checked_body(body, DETAILS)
    if isinstance(wanted.get("tags"), str):
        wanted["tags"] = [wanted["tags"]]
    for name, longest in LONGEST.items():
        values = wanted.get(name, [])
        for each in values if isinstance(values, list) else [values]:
            if len(each) > longest:
                raise InvalidInput(
                    f"{name} has {len(each):,} characters; at most {longest:,}.",
                    hint="Say it in fewer words.",
                )
    if len(wanted.get("tags", ())) > MOST_TAGS:
        raise InvalidInput(
            f"There are {len(wanted['tags'])} tags; at most {MOST_TAGS}.",
            hint="Leave out those nobody looks for.",
        )
    return wanted


def version_of(form: Form) -> int:
    """The version that is named."""
    version = one(form, "version")
    if version is None:
        raise InvalidInput("Which version?", hint='For example: {"version": 1}')
    return whole_number("version", version)
