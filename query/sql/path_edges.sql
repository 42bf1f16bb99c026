{# From what to what sessions went as which of their steps: see paths.sql. #}
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
)
