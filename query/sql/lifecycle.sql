{# Who did it in a period: for the first time, as in the period before, or after a gap; and who did in the one before only.

   unit     the column of `matched` that is counted
   period   "day", "week" or "month" #}
with
did as (
    select distinct
        {{ unit }} as unit_id
        , {% include "period.sql" %} as number
    from matched
    where is_sure
        and left_out is null
        and {{ unit }} is not null
        -- A daily id is nobody on the next day.
        and not is_daily
),
neighbours as (
    select
        number
        , lag(number) over in_order as number_before
        , lead(number) over in_order as number_after
    from did
    window in_order as (partition by unit_id order by number)
),
changes as (
    select
        number
        , number_before is null as is_new
        , coalesce(number_before = number - 1, false) as is_returning
        , coalesce(number_before < number - 1, false) as is_resurrecting
        , false as is_dormant
    from neighbours
    union all
    select number + 1, false, false, false, true
    from neighbours
    where number_after is null
        or number_after > number + 1
)
select
    number
    , count(*) filter (where is_new) as new
    , count(*) filter (where is_returning) as returning
    , count(*) filter (where is_resurrecting) as resurrecting
    , count(*) filter (where is_dormant) as dormant
from changes
group by number
order by number
;
