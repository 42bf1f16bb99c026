{# Where the sessions began that go on over a moment: the earliest of them, and whether some may have begun before $from_time.

   $from_time    how far back is looked
   $edge         the moment, in microseconds
   $until_time   a gap after it: a session that goes on has an event by then
   $gap          a session ends after this many microseconds without any event of the device #}
with
gaps as (
    select
        device_id
        , epoch_us(time) as moment
        , lag(epoch_us(time)) over (partition by device_id order by time) as moment_before
    from lake.events
    where site = $site
        and device_id is not null
        and time >= $from_time
        and time < $until_time
),
nexts as (
    select device_id, min(moment) as moment
    from gaps
    where moment >= $edge
    group by device_id
),
sessions as (
    select
        gaps.device_id
        , max(gaps.moment) as began
        , arg_max(gaps.moment_before, gaps.moment) as ended_before
    from gaps
    join nexts on nexts.device_id = gaps.device_id
    where gaps.moment <= nexts.moment
        and (gaps.moment_before is null or gaps.moment - gaps.moment_before > $gap)
    group by gaps.device_id
)
select min(began) as began, bool_or(ended_before is null and began - $gap < $from_at) as is_open
from sessions
where began < $edge
;
