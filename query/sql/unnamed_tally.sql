{# How much of what has no name counts, and what is left out. #}
select
    left_out
    , count(*) as events
    , count(distinct person_id) as people
    , count(*) filter (where is_unknown) as unknown
from unnamed
group by left_out
order by left_out nulls first
;
