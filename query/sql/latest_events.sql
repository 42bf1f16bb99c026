{# What a list of events says of those in `latest`, with the names of their people. #}
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
