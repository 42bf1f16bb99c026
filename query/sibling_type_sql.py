"""The place of previous siblings among those of their type, counted from the first (`index`) and from the last (`end`).

It lies between two numbers. Of the element's own type all siblings are counted. Of another type those captured are,
and of the rest it is known how many are of the element's type. Namespaces that are neither HTML, SVG nor MathML are not
told apart.
"""

from __future__ import annotations

from .set_sql import lines


def sibling_types(found: str, named: str = "") -> str:
    """A select of (placement_id, distance, index_low, index_high, end_low, end_high) for the siblings of a set.

    `named` is a set of descriptors, if there is one, that holds all of the types that are asked about.
    """
    # A rank is one among a type, so those of other types need none.
    asked = (
        f"""
                where (sibling.tag = own.tag and sibling.namespace = own.namespace)
                    or sibling.descriptor_id in (select descriptor_id from {named})"""
        if named
        else ""
    )
    return lines(f"""\
        select
            placement_id
            , distance
            , case
                when is_own_type then type_index - nearer
                when is_told_apart then further
                else 1
            end as index_low
            , case
                when is_own_type then type_index - nearer
                when is_told_apart then further - 1 + sibling_index - captured - uncaptured_own
                else sibling_index - distance
            end as index_high
            , case
                when is_own_type then type_count - type_index + nearer + 1
                when is_told_apart then nearer
                else 1
            end as end_low
            , case
                when is_own_type then type_count - type_index + nearer + 1
                when is_told_apart then nearer + sibling_count - sibling_index - (type_count - type_index)
                else sibling_count - sibling_index + distance + 1
            end as end_high
        from (
            select
                *
                , case
                    when is_own_told_apart
                    then type_index - 1 - max(case when is_own_type then nearer else 0 end) over (
                        partition by placement_id
                    )
                    else 0
                end as uncaptured_own
            from (
                -- ranks and no counts: the dictionary may hold repeats
                select
                    s.*
                    , sibling.namespace <> 'other' as is_told_apart
                    , own.namespace <> 'other' as is_own_told_apart
                    , sibling.tag = own.tag
                        and sibling.namespace = own.namespace
                        and own.namespace <> 'other' as is_own_type
                    , dense_rank() over (
                        partition by s.placement_id, sibling.tag, sibling.namespace order by s.distance
                    ) as nearer
                    , dense_rank() over (
                        partition by s.placement_id, sibling.tag, sibling.namespace order by s.distance desc
                    ) as further
                from (
                    select
                        placement_id
                        , descriptor_id
                        , sibling_index
                        , sibling_count
                        , type_index
                        , type_count
                        , len(previous_siblings) as captured
                        , unnest(previous_siblings) as sibling_descriptor_id
                        , generate_subscripts(previous_siblings, 1) as distance
                    from lake.placed
                    where placement_id in (select placement_id from {found})
                ) as s
                join lake.descriptors as sibling on sibling.descriptor_id = s.sibling_descriptor_id
                join lake.descriptors as own on own.descriptor_id = s.descriptor_id{asked}
            ) as ranked
        ) as placed
        union all
        -- not captured: at least the first of its type, and at most the last if all on that side are of its type
        select distinct
            s.placement_id
            , s.distance
            , case when u.is_own_type then e.sibling_index - u.furthest else 1 end as index_low
            , e.sibling_index - u.distance as index_high
            , case
                when u.is_own_type and e.type_count > 0 then e.type_count - e.type_index + u.distance + 1
                else 1
            end as end_low
            , case
                -- of imported history it is not known how many there are
                when e.type_count = 0 or e.sibling_count = 0 then 1000000
                when u.is_own_type then e.type_count - e.type_index + u.furthest + 1
                else e.sibling_count - e.sibling_index + u.furthest + 1
            end as end_high
        from {found} as s
        join lake.uncaptured_siblings as u on u.placement_id = s.placement_id and u.distance = s.distance
        join lake.placed as e on e.placement_id = s.placement_id""")
