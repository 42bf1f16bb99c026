{# How many people each edge is of, counted of some people: all rows of `path_edges` of a person are in one such turn.

   $turn, $turns   which of how many #}
insert into path_people
with
theirs as (
    select distinct edges.step, edges.is_end, coalesce(told.place, 0) as place, edges.person_id
    from path_edges as edges
    left join path_told as told
        on told.step = edges.step
        and told.source = edges.source
        and told.target = edges.target
        and told.is_end = edges.is_end
    where hash(edges.person_id) % $turns = $turn
)
select step, is_end, place, count(*)
from theirs
group by step, is_end, place
union all
-- Each session has one edge of the first step.
select 0, false, 0, count(distinct person_id)
from theirs
where step = 1
;
