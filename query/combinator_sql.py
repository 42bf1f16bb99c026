"""The four combinators as SQL: those of the set `inner` that stand to one of the set `outer` as the combinator says.

`keys` tell the rows of `inner` apart: it holds what the `grain` says, or SIBLINGS, which are previous siblings of
placements and have their parent and ancestors.
"""

from __future__ import annotations

from textwrap import indent

from .grain import PLACEMENTS, Grain
from .set_sql import lines

Keys = tuple[str, ...]
SIBLINGS: Keys = (PLACEMENTS.id, "distance", "furthest")


def inside(outer: str, inner: str, keys: Keys, grain: Grain, *, pierce: bool, cut: str) -> str:
    """Anywhere inside; possibly where not all ancestors are known, which are those of the set `cut`."""
    known = lines(f"""\
        select {_of_inner(keys)}, o.is_sure and i.is_sure as is_sure
        from {grain.ancestors} as a
        join {inner} as i on i.{grain.id} = a.{grain.id}
        join {outer} as o on o.{grain.id} = a.ancestor_id""")
    unknown = lines(f"""\
        select {_of_inner(keys)}, false
        from {inner} as i
        join {cut} as c on c.{grain.id} = i.{grain.id}""")
    if not pierce:
        known += "\nwhere a.is_same_tree"
        unknown += "\nwhere c.is_same_tree"
    return _surest(keys, known, unknown)


def directly_inside(outer: str, inner: str, keys: Keys, grain: Grain, *, pierce: bool) -> str:
    """Directly inside; possibly where the parent is not known."""
    known = lines(f"""\
        select {_of_inner(keys)}, o.is_sure and i.is_sure as is_sure
        from {inner} as i
        join {grain.rows} as e on e.{grain.id} = i.{grain.id}
        join {outer} as o on o.{grain.id} = e.{grain.parent}""")
    unknown = lines(f"""\
        select {_of_inner(keys)}, false
        from {inner} as i
        join {grain.rows} as e on e.{grain.id} = i.{grain.id}
        where e.is_cut""")
    return _surest(keys, known + ("" if pierce else "\nwhere not e.is_shadow_child"), unknown)


def after(outer: str, inner: str, keys: Keys) -> str:
    """Anywhere after one; `outer` holds previous siblings."""
    if keys != SIBLINGS:
        return _of_placements(outer, inner, "o.placement_id = i.placement_id")
    # What stands after one of several stands after the one that is furthest off.
    sql = lines(f"""\
        select {_of_inner(keys)}, max(i.is_sure and coalesce(o.surely > i.furthest, false)) as is_sure
        from {inner} as i
        join (
            select placement_id, max(furthest) as furthest, max(case when is_sure then furthest end) as surely
            from {outer}
            group by placement_id
        ) as o on o.placement_id = i.placement_id
        where o.furthest > i.distance""")
    return f"{sql}\ngroup by {_of_inner(keys)}"


def directly_after(outer: str, inner: str, keys: Keys) -> str:
    """Directly after one; `outer` holds previous siblings."""
    if keys != SIBLINGS:
        return _of_placements(outer, inner, "o.placement_id = i.placement_id and o.distance = 1")
    known = lines(f"""\
        select {_of_inner(keys)}, o.is_sure and i.is_sure and i.distance = i.furthest as is_sure
        from {inner} as i
        join {outer} as o on o.placement_id = i.placement_id and o.distance = i.furthest + 1""")
    # One row stands for several siblings that were not captured, of which one may be directly after another.
    unknown = lines(f"""\
        select {_of_inner(keys)}, false
        from {inner} as i
        join {outer} as o on o.placement_id = i.placement_id and o.distance = i.distance
        where i.distance < i.furthest""")
    return _surest(keys, known, unknown)


def _of_placements(outer: str, inner: str, condition: str) -> str:
    return lines(f"""\
        select i.placement_id, max(o.is_sure and i.is_sure) as is_sure
        from {inner} as i
        join {outer} as o on {condition}
        group by i.placement_id""")


def _of_inner(keys: Keys) -> str:
    return ", ".join(f"i.{key}" for key in keys)


def _surest(keys: Keys, *parts: str) -> str:
    columns = ", ".join(keys)
    rows = indent("\nunion all\n".join(parts), "    ")
    return f"select {columns}, max(is_sure) as is_sure\nfrom (\n{rows}\n) as found\ngroup by {columns}"
