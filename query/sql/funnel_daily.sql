{# Entries of daily ids that are left out because their window reaches past their UTC day.

   unit      the column of `matched` that is counted
   entries   the steps with which an attempt may begin #}
select count(*) as events, count(distinct {{ unit }}) as people
from matched
where step in ({% for stage in entries %}{{ stage.number }}{% if not loop.last %}, {% endif %}{% endfor %})
    and is_sure
    and left_out is null
    and is_daily
    and moment >= $start_at
    and moment < $end_at
    and floor((moment + $within) / 86400000000) > floor(moment / 86400000000)
;
