"""What an element could do at the moment of the event, as SQL over the states that capture keeps.

Chromium's rules: only elements of HTML have any of these states, and most only some of them. Capture asks the browser
for `:checked`, `:disabled`, `:required` and `:read-only`; the others follow from these and from the element's name.
"""

from __future__ import annotations

from typing import NamedTuple

from .selector import State


class _Rule(NamedTuple):
    """What capture must have kept; of which elements alone it is said; where else it may be, true or not."""

    holds: str
    of: str = ""
    perhaps: str = ""


_FIELDS = "'input', 'select', 'textarea'"
_RULES = {
    "checked": _Rule("is_checked"),
    "disabled": _Rule("is_disabled"),
    # A custom element may be one that takes part in forms; nothing captured tells, unless it was disabled.
    "enabled": _Rule(
        "not is_disabled",
        f"{_FIELDS}, 'button', 'option', 'optgroup', 'fieldset'",
        "not is_disabled and contains(tag, '-')",
    ),
    "required": _Rule("is_required"),
    # No button is ever required, and Chromium takes each for optional.
    "optional": _Rule("not is_required", f"{_FIELDS}, 'button'"),
    "read-only": _Rule("is_read_only"),
    "read-write": _Rule("not is_read_only"),
    # Whether the list or the calendar of a field was open is not captured.
    "open": _Rule("is_open", "'details', 'dialog'", "tag in ('select', 'input')"),
}

STATES = tuple(_RULES)
"""The names of the pseudo-classes that are answered here."""


def state(condition: State) -> str:
    """A select of (descriptor_id, is_sure): the elements that were in that state."""
    holds, of, perhaps = _RULES[condition.name]
    is_one = f"tag in ({of})"
    surely = f"{holds} and {is_one}" if of else holds
    if not perhaps:
        return f"""\
            select distinct descriptor_id, true as is_sure
            from lake.descriptors
            where namespace = 'html' and {surely}"""
    return f"""\
            select distinct descriptor_id, {is_one} as is_sure
            from lake.descriptors
            where namespace = 'html'
                and (
                    ({surely})
                    or ({perhaps})
                )"""
