{# The events of one session in their order, as `latest`, all that its device sent in it, with whose each is.

   $limit  how many, the first ones #}
create or replace temp table latest as
with
matches as (
    select
        e.* replace (coalesce(e.placement_id, e.element_id) as placement_id)
        , case when e.source = 'server' then e.user_id end as own_user_id
    from listed
    join lake.events as e
        on e.device_id = listed.device_id
        and epoch_us(e.time) >= listed.began
        and epoch_us(e.time) <= listed.ended
    where e.site = $site
        and e.time >= $from_time
        and e.time < $until_time
    order by e.time, e.page_id, e.page_seq, e.event_id
    limit $limit
),
{% include "persons.sql" %}
select * from matches_of_people
;

with
names as (
    select user_id as person_id, min("user") as name
    from lake.users
    where user_id in (select person_id from latest)
    group by user_id
)
select
    latest.event_id, latest.time, latest.received_at, latest.type, latest.name, latest.label, latest.text
    , latest.host, latest.path, latest.title, latest.person_id, names.name as person, latest.placement_id
    , latest.flag, latest.variation
    , case when latest.type = 'web_vital' then json_extract_string(latest.properties, '$.metric') end as metric
    , case
        when latest.type = 'web_vital' then try_cast(json_extract_string(latest.properties, '$.value') as double)
    end as value
    , latest.is_bot, latest.is_internal, latest.environment
from latest
left join names on names.person_id = latest.person_id
order by latest.time, latest.page_id, latest.page_seq, latest.event_id
;
