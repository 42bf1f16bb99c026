{# On which days the matches of a definition happened.

   $time_zone  the report's days
   $first_day  days from here on are listed #}
with
-- Time zones differ by quarters of an hour, and asking what day it is takes longer than all the rest.
quarters as (
    select epoch_us(time) // 900000000 as quarter, count(*) as events
    from moments
    where verdict = 1
        and time >= timezone($time_zone, $first_day::timestamp)
    group by quarter
)
select
    cast(cast(timezone($time_zone, make_timestamptz(quarter * 900000000)) as date) as varchar) as day
    , sum(events)::bigint as events
from quarters
group by day
;
