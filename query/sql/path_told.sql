{# The edges that are told apart, of those in `path_edges`, and what stands beside the others: see paths.sql.

   $top   how many edges of a step are told apart #}
create or replace temp table path_told as
with
counts as (
    select step, source, target, is_end, sum(sessions) as sessions
    from path_edges
    group by step, source, target, is_end
),
named as (
    select counts.*, sources.name as source_name, targets.name as target_name
    from counts
    left join path_names as sources on sources.name_id = counts.source
    left join path_names as targets on targets.name_id = counts.target
),
ranked as (
    select
        *
        , row_number() over (partition by step, is_end order by sessions desc, source_name, target_name) as place
    from named
)
select step, source, target, is_end, source_name, target_name, place, sessions
from ranked
where place <= $top
union all
select step, null, null, is_end, null, null, 0, sum(sessions)
from ranked
where place > $top
group by step, is_end
;

create or replace temp table path_people (step bigint, is_end boolean, place bigint, people bigint)
;
