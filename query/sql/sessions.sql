{# Sessions: a device's events without a longer gap. All its events count, whatever they are (docs/rules.md 1).

   has_bounds   whether no event before $from_time or from $until_time on is asked about: where sessions of events
                between them begin is then told by these events alone

   $gap   a session ends after this many microseconds without any event of the device #}
create or replace temp table sessions as
with
gaps as (
    select
        device_id
        , epoch_us(time) as moment
        , lag(epoch_us(time)) over (partition by device_id order by time) as moment_before
    from lake.events
    where site = $site
        and device_id is not null
{% if has_bounds %}
        and time >= $from_time
        and time < $until_time
{% endif %}
),
starts as (
    select device_id, moment as began
    from gaps
    where moment_before is null
        or moment - moment_before > $gap
)
select
    row_number() over (order by device_id, began) as session_id
    , device_id
    , began
    , lead(began) over (partition by device_id order by began) as next_began
from starts
;
