{# Entries of daily ids that are left out because their window reaches past their UTC day. #}
select count(*) as events, count(distinct person_id) as people
from matched
where step = 1
    and is_sure
    and left_out is null
    and is_daily
    and moment >= $start_at
    and moment < $end_at
    and floor((moment + $within) / 86400000000) > floor(moment / 86400000000)
;
