{# The elements that matched most often, each in the place where it was met last.

   $samples how many #}
create or replace temp table samples as
with
most as (
    select element_id, sum(events)::bigint as events
    from found
    where verdict = 1 and element_id is not null
    group by element_id
    order by events desc, element_id
    limit $samples
)
select
    element_id
    , arg_max(coalesce(placement_id, element_id), (last, placement_id)) as placement_id
    , sum(events)::bigint as events
from found
where verdict = 1 and element_id in (select element_id from most)
group by element_id
;

select element_id, placement_id, events from samples order by events desc, element_id
;
