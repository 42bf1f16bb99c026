{# On which days the matches of a definition happened.

   $time_zone  the report's days
   $first_day  days from here on are listed #}
select
    cast(cast(timezone($time_zone, make_timestamptz(quarter * 900000000)) as date) as varchar) as day
    , sum(events)::bigint as events
from quarters
where quarter >= epoch_us(timezone($time_zone, $first_day::timestamp)) // 900000000
group by day
;
