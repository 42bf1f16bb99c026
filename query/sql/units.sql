{# The rows of `matches` with their person, and as `unit_id` what is counted where that is not the person.

   unit   "session", "device", "group", or nothing for the person
   turn   whose events take turns, if devices do: then the relation `session_moments` tells the session of each #}
{% if turn | default(none) and not turn.is_at_login %}
matches_of_people as (
    select m.*, joined.person_id as own_person_id
    from matches as m
    left join lake.joined_users as joined on joined.user_id = m.own_user_id
),
{% else %}
{% include "persons.sql" %},
{% endif %}
matches_of_units as (
{% if turn | default(none) %}
    select
        m.*
        , told.session_id as unit_id
        , told.place
        , told.unclear
        , told.is_daily
{% if not turn.is_at_login %}
        , coalesce(m.own_person_id, m.own_user_id, told.person_id, m.device_id) as person_id
{% endif %}
    from matches_of_people as m
    left join session_moments as told
        on told.device_id = m.device_id
        and told.moment = epoch_us(m.time)
{% elif unit == "session" %}
    select m.*, sessions.session_id as unit_id
    from matches_of_people as m
    left join sessions
        on sessions.device_id = m.device_id
        and epoch_us(m.time) >= sessions.began
        and epoch_us(m.time) <= sessions.ended
{% elif unit == "device" %}
    select m.*, m.device_id as unit_id
    from matches_of_people as m
{% elif unit == "group" %}
    select m.*, memberships.group_id as unit_id
    from matches_of_people as m
    left join memberships
        on memberships.person_id = m.person_id
        and (m.time, m.page_id, m.page_seq, m.event_id)
        >= (memberships.begins_at, memberships.begins_page_id, memberships.begins_page_seq, memberships.begins_event_id)
        and (
            memberships.ends_at is null
            or (m.time, m.page_id, m.page_seq, m.event_id)
            < (memberships.ends_at, memberships.ends_page_id, memberships.ends_page_seq, memberships.ends_event_id)
        )
{% else %}
    select * from matches_of_people
{% endif %}
)
