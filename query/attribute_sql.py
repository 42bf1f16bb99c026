"""Comparisons of an attribute's value as SQL, where a part of the value may be unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .css import ascii_lower
from .selector import Attribute

UNKNOWN = "…"
"""Stands in a partial value for a stretch that was cut or masked (`snippet/wire.md`)."""

WHITE_SPACE = "\t\n\f\r"
"""What HTML takes for white space beside the space itself."""

# On HTML elements: https://html.spec.whatwg.org/multipage/semantics-other.html#case-sensitivity-of-selectors
_CASE_IGNORED = """
    accept accept-charset align alink axis bgcolor charset checked clear codetype color compact declare defer dir
    direction disabled enctype face frame hreflang http-equiv lang language link media method multiple nohref noresize
    noshade nowrap readonly rel rev rules scope scrolling selected shape target text type valign valuetype vlink
"""
CASE_IGNORED = frozenset(_CASE_IGNORED.split())
"""Attributes whose values ignore case unless the selector says `s`."""

Bind = Callable[[str, str], str]


def comparison(attribute: Attribute, bind: Bind) -> str:
    """A select of (descriptor_id, is_sure) for one attribute selector; `bind` gives a value its name in the text."""
    if _can_never_match(attribute):
        return """\
            select descriptor_id, true as is_sure
            from lake.descriptor_attributes
            where false"""
    name = bind("name", ascii_lower(attribute.name))
    if attribute.operator is None:
        return f"""\
            select distinct descriptor_id, true as is_sure
            from lake.descriptor_attributes
            where name = {name}"""
    surely, possibly = _conditions(attribute, bind)
    unknown = "is_partial" if possibly == "true" else f"(is_partial and {possibly})"
    return f"""\
            select descriptor_id, max({surely}) as is_sure
            from lake.descriptor_attributes
            where name = {name}
                and (
                    {surely}
                    or {unknown}
                )
            group by descriptor_id"""


def _can_never_match(attribute: Attribute) -> bool:
    """An empty operand finds nothing, and no word holds white space."""
    if attribute.operator == "~=":
        return not attribute.value or any(space in attribute.value for space in " " + WHITE_SPACE)
    return attribute.operator in ("^=", "$=", "*=") and not attribute.value


def _conditions(attribute: Attribute, bind: Bind) -> tuple[str, str]:
    ignores_case = attribute.sensitivity is None and ascii_lower(attribute.name) in CASE_IGNORED
    if not ignores_case:
        operand = _Operand(attribute, bind, is_lower=attribute.sensitivity == "i")
        return operand.surely(), operand.possibly()
    exact = _Operand(attribute, bind, is_lower=False)
    lower = _Operand(attribute, bind, is_lower=True)
    return f"{exact.surely()} or (is_html and {lower.surely()})", lower.possibly()


@dataclass(frozen=True, slots=True)
class _Operand:
    """One comparison, with case or without."""

    attribute: Attribute
    bind: Bind
    is_lower: bool

    def surely(self) -> str:
        """True where every completion of the value matches."""
        column = "lower_value" if self.is_lower else "value"
        match self.attribute.operator:
            case "=":
                known = f"{column} = {self.value()}"
            case "^=":
                known = f"starts_with({column}, {self.value()})"
            case "$=":
                known = f"ends_with({column}, {self.value()})"
            case "*=":
                known = f"contains({column}, {self.value()})"
            case "~=":
                spaces = self.bind("white_space", WHITE_SPACE)
                words = f"' ' || translate({column}, {spaces}, '    ') || ' '"
                known = f"contains({words}, {self.value('word', ' ', ' ')})"
            case _:
                known = f"({column} = {self.value()} or starts_with({column}, {self.value('part', end='-')}))"
        # The operand's own … is a character; in a partial value it would be an unknown stretch.
        return f"(not is_partial and {known})" if UNKNOWN in self.attribute.value else known

    def possibly(self) -> str:
        """True where some completion of a partial value matches, and sometimes where none does."""
        match self.attribute.operator:
            case "=":
                return f"{self.could_start(self.value())} and {self.could_end(self.value())}"
            case "^=":
                return self.could_start(self.value())
            case "$=":
                return self.could_end(self.value())
            case "|=":
                return self.could_start(self.value("part", end="-"))
            case _:
                return "true"

    def could_start(self, value: str) -> str:
        return f"starts_with({self.fold(value)}, {self.fold('head')})"

    def could_end(self, value: str) -> str:
        return f"ends_with({self.fold(value)}, {self.fold('tail')})"

    def fold(self, text: str) -> str:
        # More than A to Z: here too many are better than too few.
        return f"lower({text})" if self.is_lower else text

    def value(self, noun: str = "value", start: str = "", end: str = "") -> str:
        text = self.attribute.value
        if self.is_lower:
            text, noun = ascii_lower(text), f"{noun}_lower" if text != ascii_lower(text) else noun
        return self.bind(noun, f"{start}{text}{end}")
