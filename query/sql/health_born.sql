{# What happens on elements that were never met before a definition fell silent.

   $types  types of events
   $since  from when on an element is new
   $most   how many are looked at, those of the most browsers first #}
with
born as (
    select e.element_id, e.type
    from lake.events as e
    where e.site = $site
        and e.type in (select unnest($types))
        and e.element_id is not null
    group by e.element_id, e.type
    having min(e.time) >= $since
)
select
    e.type
    , coalesce(e.label, '') as said
    , mode(coalesce(e.path, '')) as path
    , arg_max(coalesce(e.placement_id, e.element_id), (e.time, e.event_id)) as placement_id
    , count(*) as events
    , epoch_us(min(e.time)) as first
from lake.events as e
join born
    on born.element_id = e.element_id
    and born.type = e.type
where e.site = $site
    and e.time >= $since
    and {% include "left_out.sql" %} is null
group by e.type, said
order by count(distinct e.device_id) desc, events desc, e.type, said
limit $most
;
