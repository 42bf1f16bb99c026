{# Where fields were changed, whether that has a name or not: the placements, those with the most changes first.

   $most  how many #}
create or replace temp table chosen as
select coalesce(e.placement_id, e.element_id) as placement_id
from lake.events as e
where e.site = $site
    and e.type = 'change'
    and e.element_id is not null
    and e.time >= $from_time
    and e.time < $until_time
group by 1
order by count(*) desc, placement_id
limit $most
;
