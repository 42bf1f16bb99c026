-- Events on elements since $since, and how many elements and placements no event before had: neither as its target nor
-- as one of its ancestors. Repeats of dictionary rows change nothing here.
with
targets as (
    select element_id, coalesce(placement_id, element_id) as placement_id, min(time) as first_at
        , count(*) filter (where time >= $since) as late_events
    from lake.events
    where element_id is not null
    group by all
),
elements as (
    select element_id, first_at
    from targets
    union all
    select a.ancestor_id, t.first_at
    from targets as t
    join lake.element_ancestors as a on a.element_id = t.element_id
),
placements as (
    select placement_id, first_at
    from targets
    union all
    select a.ancestor_id, t.first_at
    from targets as t
    join lake.placement_ancestors as a on a.placement_id = t.placement_id
)
select
    (select coalesce(sum(late_events), 0)::bigint from targets) as events
    , (
        select count(*)
        from (select element_id, min(first_at) as first_at from elements group by element_id) as each
        where first_at >= $since
    ) as elements
    , (
        select count(*)
        from (select placement_id, min(first_at) as first_at from placements group by placement_id) as each
        where first_at >= $since
    ) as placements
