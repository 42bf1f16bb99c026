{# How many events each step found, how many are unknown, and what was left out. #}
select step, is_sure, left_out, count(*) as events, count(distinct person_id) as people
from matched
group by step, is_sure, left_out
order by step, is_sure, left_out
;
