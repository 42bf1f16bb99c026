"""Why a batch or an event cannot be read, in words for whoever wrote it.

The decoder's own words name a place as `$.x` and a type as `int | null`. Here the field is named as the wire format
names it, and stays in the kind of a reason (`lake.rejected.kind_of`), because fields are ours and not a visitor's.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}

_AT = r"(?: - at `\$\.?(?P<at>[^`]*)`)?"


def _has_to_be(said: re.Match[str]) -> str:
    wanted = " or ".join(TYPES.get(each, each) for each in said["wanted"].split(" | "))
    # In quotes, because a kind of reason is not to be another one for each thing that it was instead.
    return f"has to be {wanted}, and is '{TYPES.get(said['got'], said['got'])}'"


def _is_of_another_length(said: re.Match[str]) -> str:
    parts = "characters" if "str" in said["type"] else "parts"
    return f"has {'more' if said['sign'] == '<=' else 'less'} than {said['limit']} {parts}"


_WORDS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`", _has_to_be),
    (r"Expected `(?P<type>[^`]*)` of length (?P<sign><=|>=) (?P<limit>\d+)", _is_of_another_length),
    (r"Expected `[^`]*` <= (?P<limit>\S+)", lambda said: f"is greater than {float(said['limit']):.15g}"),
    (r"Expected `[^`]*` >= (?P<limit>\S+)", lambda said: f"is less than {float(said['limit']):.15g}"),
    (r"Expected `str` matching regex '\^\[0-9a-fA-F\].*'", lambda _: "is no UUID"),
    (r"Expected `str` matching regex '.*'", lambda _: "is not written as it has to be"),
    (r"(?:Integer value|Number) out of range", lambda _: "is out of range"),
    (r"Invalid enum value (?P<value>.*?)", lambda said: f"cannot be {said['value']}"),
    (r"Object missing required field `(?P<name>[^`]*)`", lambda said: f"has no {said['name']}"),
)
_PATTERNS = [(re.compile(pattern + _AT, re.DOTALL), word) for pattern, word in _WORDS]


def reason_of(problem: Exception) -> str:
    """What is wrong, as a part of a sentence.

    >>> reason_of(ValueError("Expected `int | null`, got `str` - at `$.x`"))
    "its x has to be a whole number or null, and is 'text'"
    >>> reason_of(ValueError("Object missing required field `id`"))
    'it has no id'
    """
    if isinstance(problem, RecursionError):
        return "it is nested too deep"
    if isinstance(problem, UnicodeDecodeError):
        return "it is not UTF-8"
    said = str(problem)
    for pattern, word in _PATTERNS:
        found = pattern.fullmatch(said)
        if found:
            return f"its {found['at']} {word(found)}"[:300] if found["at"] else f"it {word(found)}"[:300]
    return said[:300]
