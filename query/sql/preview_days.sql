{# On which days the matches of a definition happened.

   $time_zone  the report's days
   $first_day  days from here on are listed #}
create or replace temp view counted as
select * from matched where is_sure and left_out is null
;

with
-- Time zones differ by quarters of an hour, and asking what day it is takes longer than all the rest.
quarters as (
    select time_bucket(interval '15 minutes', time) as begins_at, count(*) as events
    from counted
    where time >= timezone($time_zone, $first_day::timestamp)
    group by begins_at
)
select cast(cast(timezone($time_zone, begins_at) as date) as varchar) as day, sum(events)::bigint as events
from quarters
group by day
;
