"""Previous siblings of placements as sets, whatever can be known of them.

Of the nearest 20 capture keeps what they are; their places follow from their distance to the element. Those further
off are rows of `lake.uncaptured_siblings`: the first child by itself, and all between in one row. What such a row
stands for matches surely if all of it does, possibly if any of it may.
"""

from __future__ import annotations

from .descriptor_sql import DescriptorSets, is_about_type
from .selector import Compound
from .set_sql import lines, noun_of


def siblings(descriptors: DescriptorSets, what: Compound) -> str:
    """The previous siblings that are what the compound says; without a condition all of them."""
    sets = descriptors.sets
    made = sets.made.get(("siblings", what))
    if made:
        return made
    if not what.conditions:
        sql = """\
            select placement_id, distance, distance as furthest, true as is_sure
            from lake.placement_siblings
            union all
            select placement_id, distance, furthest, true
            from lake.uncaptured_siblings"""
        return sets.add("siblings", what, "siblings", sql, "all previous siblings")
    found = descriptors.compound(what)
    sql = f"""\
            select s.placement_id, s.distance, s.distance as furthest, d.is_sure
            from lake.placement_siblings as s
            join {found} as d on d.descriptor_id = s.sibling_descriptor_id
            union all"""
    sql = f"{lines(sql)}\n{lines(_uncaptured(descriptors, what))}"
    return sets.add("siblings", what, f"{noun_of(what)}_siblings", sql, f"previous siblings: {what}")


def _uncaptured(descriptors: DescriptorSets, what: Compound) -> str:
    """Those that may be it: all, unless every previous sibling has the type of the element, and that is another."""
    types = tuple(each for each in what.conditions if is_about_type(each))
    if not types:
        return """\
            select placement_id, distance, furthest, false
            from lake.uncaptured_siblings"""
    name = descriptors.compound(Compound(types))
    is_sure = "s.is_own_type" if types == what.conditions else "false"
    return f"""\
            select s.placement_id, s.distance, s.furthest, {is_sure}
            from lake.uncaptured_siblings as s
            left join {name} as own on own.descriptor_id = s.descriptor_id
            where own.descriptor_id is not null or not s.is_own_type"""
