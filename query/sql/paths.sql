{# What sessions did after an event, or before it: the edges of each step, and how many ended there.

   One pass over the events of the sessions that have such an event: each looks at its neighbour only.

   is_after   whether what comes after is asked, or what came before
   nodes      (step, name): definitions whose events are called so; other events are views of pages, called by their path
   globs      (name, expression): paths that are called by the glob that they fit, the first one

   $steps   how many steps are shown
   $top     how many edges of a step are told apart; the rest are "other" #}
{% include "path_anchors.sql" %}

with
{% include "path_edges.sql" %},
counts as (
    select step, source, target, is_end, count(*) as sessions
    from edges
    group by step, source, target, is_end
),
ranked as (
    select
        *
        , row_number() over (partition by step, is_end order by sessions desc, source, target) <= $top as is_told_apart
    from counts
),
named as (
    select
        edges.step
        , case when ranked.is_told_apart then edges.source end as source
        , case when ranked.is_told_apart then edges.target end as target
        , case
            when edges.is_end and ranked.is_told_apart then 'end'
            when edges.is_end then 'other ends'
            when ranked.is_told_apart then 'step'
            else 'other'
        end as kind
        , anchors.person_id
    from edges
    join ranked
        on ranked.step = edges.step
        and ranked.source is not distinct from edges.source
        and ranked.target is not distinct from edges.target
        and ranked.is_end = edges.is_end
    join anchors on anchors.unit_id = edges.unit_id
)
select step, kind, source, target, count(*) as sessions, count(distinct person_id) as people
from named
group by step, kind, source, target
order by step, kind like 'other%', sessions desc, kind, source, target
;
