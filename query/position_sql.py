"""Conditions on where an element stands among its siblings, as SQL over the columns of `lake.elements`."""

from __future__ import annotations

from .selector import Only, Position, Root


def place(condition: Position | Only | Root) -> str:
    """True where the element `e` stands there."""
    match condition:
        case Root():
            return "e.is_root"
        case Only(of_type):
            return "e.type_count = 1" if of_type else "e.sibling_count = 1"
        case Position(_, of_type, from_end, step, offset):
            noun = "type" if of_type else "sibling"
            if from_end and not step:
                back = f" - {offset - 1}" if offset != 1 else ""
                return f"e.{noun}_index = e.{noun}_count{back}"
            count = f"e.{noun}_count - e.{noun}_index + 1" if from_end else f"e.{noun}_index"
            if not step:
                return f"{count} = {offset}"
            bound = f"{count} {'>=' if step > 0 else '<='} {offset}"
            return bound if abs(step) == 1 else f"{bound} and ({count} - {offset}) % {abs(step)} = 0"
