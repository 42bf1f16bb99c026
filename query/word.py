"""Words: what a question is asked with, from which every door makes its own: options, parameters, fields of a body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from expost.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Word:
    """A word with the same `name` at every door (`step_within`, as an option `--step-within`), and what it `says`.

    `example` is a value that it may have. `choices` are all there are, where that is so. `is_many` may be said several
    times. `is_switch` is said, or not. `python` is how it is said in Python, where that is not its name.
    """

    name: str
    says: str
    example: str = ""
    choices: tuple[str, ...] = ()
    is_many: bool = False
    is_switch: bool = False
    is_number: bool = False
    python: str = ""

    @property
    def option(self) -> str:
        """What it is called on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def check(self, value: Any) -> Any:
        """The value, as JSON has it, if this word can have it: else InvalidInput names what it can."""
        if self.is_switch:
            if isinstance(value, bool):
                return value
            raise self.refusal(value, "which is neither true nor false", "true")
        values = value if self.is_many and isinstance(value, list) else [value]
        for each in values:
            is_count = isinstance(each, int) and not isinstance(each, bool) and self.is_number
            if not is_count and not isinstance(each, str):
                kind = "a whole number" if self.is_number else "text"
                raise self.refusal(each, f"where {kind} is needed", self.example or "…")
        return value

    def refusal(self, value: Any, why: str, example: str) -> InvalidInput:
        """That this word cannot have this value, and one that it can."""
        said = example if self.is_switch or self.is_number else f'"{example}"'
        return InvalidInput(
            f"{self.name} is {value!r}, {why}.", hint=f'For example: {{"{self.name}": {said}}}'
        )


def refuse_unknown(given: Iterable[str], words: Iterable[Word], what: str = "this question") -> None:
    """Refuse a word that is none of these, by the nearest one."""
    refuse_unknown_names(given, {word.name for word in words}, what)


def refuse_unknown_names(given: Iterable[str], names: Iterable[str], what: str) -> None:
    """Refuse a name that is none of these, by the nearest one."""
    known = frozenset(names)
    for name in sorted(set(given) - known):
        raise InvalidInput(f"{name!r} is nothing that {what} knows.", hint=nearest(name, known, "It knows"))


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """What was meant by a misspelt name, or all that there is.

    >>> nearest("klick", ["click", "change"], "It knows")
    "Did you mean 'click'?"
    >>> nearest("start", ["start_event", "step"], "It knows")
    "Did you mean 'start_event'?"
    >>> nearest("x", ["click", "change"], "It knows")
    'It knows: change, click.'
    """
    listed = sorted(known)
    meant = name.casefold().replace("-", "_")
    longer = [each for each in listed if each.startswith(f"{meant}_")]
    near = longer or get_close_matches(meant, listed, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"{otherwise}: {', '.join(listed)}."


def checked_body(
    body: Mapping[str, Any], words: Iterable[Word], what: str = "this request"
) -> dict[str, Any]:
    """What a JSON object says with these words; null says nothing."""
    known = {word.name: word for word in words}
    refuse_unknown(body, known.values(), what)
    return {name: known[name].check(value) for name, value in body.items() if value is not None}
