{# Starts by daily ids, which retention leaves out. #}
select
    count(*) filter (where is_daily) as events
    , count(distinct case when is_daily then person_id end) as people
    , count(*) as every_event
from matched
where step = 1
    and is_sure
    and left_out is null
    and moment >= $start_at
    and moment < $end_at
;
