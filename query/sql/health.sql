{# How many people did each thing in each stretch of 24 hours before now, the last one first (age 0).

   $now_at  the moment of asking #}
select
    step
    , cast(floor(($now_at - moment) / 86400000000) as integer) as age
    , count(distinct person_id) as people
    , count(*) as events
    , max(moment) as last
from matched
where is_sure
    and left_out is null
    and person_id is not null
    and moment <= $now_at
group by step, age
order by step, age
;
