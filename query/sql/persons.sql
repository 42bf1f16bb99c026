{# Whose the rows of `matches` are, as lake/sql/persons.sql says it of all events, and what is left out of the numbers. #}
matches_of_people as (
    select
        matches.*
        , coalesce(
            case when matches.source = 'server' then matches.user_id end, logins.user_id, matches.device_id
        ) as person_id
        , coalesce(case when matches.source = 'server' then matches.user_id end, logins.user_id) is not null as is_user
        , case
            when matches.is_bot and not $count_bots then 'bots'
            when matches.is_internal and not $count_internal then 'internal'
            when matches.environment <> $environment then 'environment'
        end as left_out
    from matches
    left join lake.logins as logins
        on logins.device_id = matches.device_id
        and (
            logins.begins_at is null
            or (matches.time, matches.page_id, matches.page_seq, matches.event_id)
            >= (logins.begins_at, logins.begins_page_id, logins.begins_page_seq, logins.begins_event_id)
        )
        and (
            logins.ends_at is null
            or (matches.time, matches.page_id, matches.page_seq, matches.event_id)
            < (logins.ends_at, logins.ends_page_id, logins.ends_page_seq, logins.ends_event_id)
        )
)
