{# Everything of one person, by session: the relation `theirs`, and of it `latest`, the newest events.

   has_bounds   whether $from_time and $until_time bound the events
   $users       the person's users; empty for a device that is its own person
   $person      the person
   $gap         a session ends after this many microseconds without any event of the device
   $latest      how many events are shown #}
create or replace temp table theirs as
with
-- All on which something of theirs can be. Whose each event is, is decided below.
candidates as (
    select device_id from lake.logins where list_contains($users, user_id)
    union
    select $person as device_id
),
matches as (
    select
        e.* replace (coalesce(e.placement_id, e.element_id) as placement_id)
        , case when e.source = 'server' then e.user_id end as own_user_id
    from lake.events as e
    where e.site = $site
        and (
            e.device_id in (select device_id from candidates)
            or (e.source = 'server' and list_contains($users, e.user_id))
        )
),
{% include "persons.sql" %},
gaps as (
    select
        matches_of_people.*
        , lag(time) over in_order as time_before
    from matches_of_people
    window in_order as (partition by device_id order by time, page_id, page_seq, event_id)
),
-- Sessions are those of the device, whoever was logged in on it.
visits as (
    select
        gaps.*
        , count(*) filter (
            where time_before is null
                or epoch_us(time) - epoch_us(time_before) > $gap
                -- A daily id is nobody on the next day.
                or (
                    floor(epoch_us(time) / 86400000000) > floor(epoch_us(time_before) / 86400000000)
                    and device_id in (select device_id from lake.devices where is_daily)
                )
        ) over (
            partition by device_id order by time, page_id, page_seq, event_id
            rows between unbounded preceding and current row
        ) as visit
    from gaps
),
beginnings as (
    select visits.*, min(epoch_us(time)) over (partition by device_id, visit) as begins
    from visits
)
select *
from beginnings
where person_id = $person
{% if has_bounds %}
    and time >= $from_time
    and time < $until_time
{% endif %}
;

create or replace temp table latest as
select *
from theirs
order by time desc, page_id desc, page_seq desc, event_id desc
limit $latest
;

with
sessions as (
    select device_id, visit, min(begins) as begins, min(time) as began_at, max(time) as ended_at, count(*) as total
    from theirs
    group by device_id, visit
)
select
    latest.event_id, latest.time, latest.received_at, latest.type, latest.name, latest.label, latest.text
    , latest.host, latest.path, latest.title, latest.person_id, latest.placement_id, latest.device_id
    , latest.flag, latest.variation
    , case when latest.type = 'web_vital' then json_extract_string(latest.properties, '$.metric') end as metric
    , case
        when latest.type = 'web_vital' then try_cast(json_extract_string(latest.properties, '$.value') as double)
    end as value
    , latest.is_bot, latest.is_internal, latest.environment
    , sessions.begins, sessions.began_at, sessions.ended_at, sessions.total
from latest
join sessions on sessions.device_id is not distinct from latest.device_id and sessions.visit = latest.visit
order by sessions.ended_at desc, sessions.began_at desc, latest.device_id
    , latest.time desc, latest.page_id desc, latest.page_seq desc, latest.event_id desc
;
