"""Rows of the element dictionary: what descriptors, elements and placements look like as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .batch import (
    CHAIN_CUT,
    CHECKED,
    DISABLED,
    FOREIGN,
    MATHML,
    OPEN,
    QUIRKS,
    READ_ONLY,
    REQUIRED,
    ROOT,
    SHADOW_CHILD,
    SVG,
    Descriptor,
    Element,
)

Row = tuple[Any, ...]

CUT = "…"
"""Stands in a marked value for every stretch that was cut or masked."""


def content(descriptor: Descriptor) -> Row:
    """What makes two descriptors the same one: order of attributes, names and marks does not."""
    return (
        descriptor.tag,
        descriptor.dom_id,
        descriptor.class_name,
        sorted(descriptor.attributes.items()),
        sorted(set(descriptor.names)),
        descriptor.state,
        sorted(set(descriptor.marks)),
    )


def descriptor_row(descriptor_id: int, descriptor: Descriptor) -> Row:
    """The row of `descriptors`, in the order of its columns."""
    marks = set(descriptor.marks)
    state = descriptor.state
    attributes = [
        {"name": name, "value": value, "is_partial": name in marks}
        for name, value in sorted(descriptor.attributes.items())
    ]
    return (
        descriptor_id,
        descriptor.tag,
        namespace(state),
        descriptor.dom_id,
        descriptor.class_name,
        classes(descriptor.class_name, "class" in marks),
        attributes,
        sorted(set(descriptor.names)),
        sorted(marks),
        bool(state & CHECKED),
        bool(state & DISABLED),
        bool(state & REQUIRED),
        bool(state & OPEN),
        bool(state & READ_ONLY),
        bool(state & QUIRKS),
    )


def element_row(
    element_id: int, descriptor_id: int, flags: int, ancestors: Sequence[int], tree_depth: int
) -> Row:
    """The row of `elements`, in the order of its columns. `ancestors` are nearest first, through shadow hosts."""
    return (
        element_id,
        ancestors[0] if ancestors else None,
        descriptor_id,
        # Where it stands among its siblings is in `placements`; only rows from before that table say it here.
        *(None,) * 5,
        list(ancestors),
        tree_depth,
        len(ancestors),
        bool(flags & SHADOW_CHILD),
        bool(flags & CHAIN_CUT),
        bool(flags & ROOT),
    )


def placement_row(
    placement_id: int,
    element_id: int,
    descriptor_id: int,
    placed: Element,
    previous: Sequence[int],
    ancestors: Sequence[int],
    tree_depth: int,
) -> Row:
    """The row of `placements`, in the order of its columns. `ancestors` are placements, nearest first."""
    flags = placed.flags
    return (
        placement_id,
        element_id,
        ancestors[0] if ancestors else None,
        descriptor_id,
        placed.index,
        placed.count,
        placed.type_index,
        placed.type_count,
        list(previous),
        list(ancestors),
        tree_depth,
        bool(flags & SHADOW_CHILD),
        bool(flags & CHAIN_CUT),
        bool(flags & ROOT),
    )


def namespace(state: int) -> str:
    """`html`, `svg`, `mathml` or `other`, from the state bits."""
    if state & SVG:
        return "svg"
    if state & MATHML:
        return "mathml"
    return "other" if state & FOREIGN else "html"


def classes(class_name: str | None, is_partial: bool) -> list[str]:
    """The distinct classes of an attribute, in order. Of one that is not whole, those that surely are.

    >>> classes("btn  primary btn", False)
    ['btn', 'primary']
    >>> classes("btn prim…", True)
    ['btn']
    """
    if not class_name:
        return []
    # HTML splits on ASCII white space only; str.split() alone would also split on U+00A0 and friends.
    words = class_name.translate(_ASCII_SPACES).split(" ")
    return [word for word in dict.fromkeys(words) if word and not (is_partial and CUT in word)]


_ASCII_SPACES = str.maketrans("\t\n\f\r", "    ")
