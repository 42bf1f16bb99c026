"""Conditions on a property of an event, or on one of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from expost.errors import InvalidInput

from .event_column import check_value, column_name
from .pattern import needed_text

PropertyOperator = Literal["is", "exists", "contains", "matches", "above", "at_least", "below", "at_most"]
Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class PropertyMatch:
    """A condition on one property of the event. `is` compares JSON values: the number 1 is not the text "1".

    A name such as `column:browser` is no property's: then it is a condition on that column of the event.
    """

    name: str
    operator: PropertyOperator
    value: Scalar = None

    def __post_init__(self) -> None:
        if self.operator not in get_args(PropertyOperator):
            known = ", ".join(get_args(PropertyOperator))
            raise InvalidInput(f"{self.operator!r} is no way to compare a property.", hint=f"One of: {known}")
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if self.operator in ("above", "at_least", "below", "at_most") and not is_number:
            raise InvalidInput(f"The property {self.name!r} is compared by {self.operator!r} with {self.value!r}.",
                               hint="Give a number.")  # fmt: skip
        if self.operator in ("contains", "matches") and not isinstance(self.value, str):
            raise InvalidInput(f"The property {self.name!r} is compared by {self.operator!r} with {self.value!r}.",
                               hint="Give a text.")  # fmt: skip
        column = column_name(self.name)
        if column is not None and self.operator != "exists":
            check_value(column, self.value)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "operator": self.operator}
        return body if self.operator == "exists" else body | {"value": self.value}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> PropertyMatch:
        return cls(needed_text(body["name"]), body["operator"], body.get("value"))
