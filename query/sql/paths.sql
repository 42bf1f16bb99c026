{# What sessions did after an event, or before it: the edges of each step, and how many ended there.

   One pass over the events of the sessions that have such an event: each looks at its neighbour only.

   is_after   whether what comes after is asked, or what came before
   nodes      (step, name): definitions whose events are called so; other events are views of pages, called by their path
   globs      (name, expression): paths that are called by the glob that they fit, the first one

   $steps   how many steps are shown
   $top     how many edges of a step are told apart; the rest are "other" #}
create or replace temp table anchors as
select
    unit_id
    , {% if is_after %}min{% else %}max{% endif %}(position) as position
    , {% if is_after %}arg_min{% else %}arg_max{% endif %}(person_id, position) as person_id
from matched
where step = 1
    and is_sure
    and left_out is null
    and unit_id is not null
    and moment >= $start_at
    and moment < $end_at
    and moment <= $now_at
group by unit_id
;

with
done as (
    select matched.unit_id, matched.position, min(matched.step) as step, min(matched.path) as path
    from matched
    join anchors on anchors.unit_id = matched.unit_id
    where matched.step > 1
        and matched.is_sure
        and matched.left_out is null
        and matched.moment <= $now_at
        and matched.position {% if is_after %}>{% else %}<{% endif %} anchors.position
    group by matched.unit_id, matched.position
),
-- Expressions run once for each distinct path.
pages as (
    select
        path
        , case
{% for name, expression in globs %}
            when regexp_matches(path, {{ expression }}) then {{ name }}
{% endfor %}
            when true then path
        end as name
    from (select distinct path from done where path is not null) as paths
),
called as (
    select
        done.unit_id
        , done.position
        , case
{% for step, name in nodes %}
            when done.step = {{ step }} then {{ name }}
{% endfor %}
            when true then coalesce(pages.name, '')
        end as node
    from done
    left join pages on pages.path = done.path
),
compared as (
    select *, lag(node) over (partition by unit_id order by position{% if not is_after %} desc{% endif %}) as node_before
    from called
),
steps as (
    select
        unit_id, node
        , row_number() over (partition by unit_id order by position{% if not is_after %} desc{% endif %}) as step
    from compared
    where node_before is null
        or node_before <> node
),
shown as (
    select * from steps where step <= $steps
),
ends as (
    select anchors.unit_id, coalesce(max(shown.step), 0) as step, arg_max(shown.node, shown.step) as node
    from anchors
    left join shown on shown.unit_id = anchors.unit_id
    group by anchors.unit_id
),
edges as (
    select unit_id, step, lag(node) over (partition by unit_id order by step) as source, node as target, false as is_end
    from shown
    union all
    select unit_id, step + 1, node, null, true
    from ends
    where step < $steps
),
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
