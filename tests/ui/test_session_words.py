"""The words of one session: what is not known of it is not said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from expost.ui.samples_sessions import session, sessions
from expost.ui.sessions import session_row, sessions_view


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"country": "DE", "browser": "Firefox", "device_class": "desktop"}, "DE · Firefox · desktop"),
        ({"country": None, "browser": "Firefox", "device_class": "other"}, "Firefox"),
        ({"country": None, "browser": "Other", "device_class": "other"}, ""),
    ],
)
def test_a_session_says_on_what_it_was_as_far_as_that_is_known(known: dict[str, Any], words: str) -> None:
    assert session_row(session(**known)).on == words


def test_a_list_of_sessions_has_a_column_for_that_only_where_something_is_known() -> None:
    listed = sessions(3)
    unknown: dict[str, Any] = {"country": None, "browser": None, "device_class": "other"}
    nothing = replace(listed, sessions=tuple(replace(each, **unknown) for each in listed.sessions))
    assert (sessions_view(listed).says_on_what, sessions_view(nothing).says_on_what) == (True, False)
