{# The rows of `matches` with their person, and as `unit_id` what is counted where that is not the person.

   unit                  "session", "device", "group", or nothing for the person
   has_session_moments   whether the relation `session_moments` tells the session of each event #}
{% include "persons.sql" %},
matches_of_units as (
{% if unit == "session" and has_session_moments | default(false) %}
    select m.*, session_moments.session_id as unit_id
    from matches_of_people as m
{% if in_parts | default(false) %}
    left join (select * from session_moments where abs(device_id % $parts) = $part) as session_moments
{% else %}
    left join session_moments
{% endif %}
        on session_moments.device_id = m.device_id
        and session_moments.moment = epoch_us(m.time)
{% elif unit == "session" %}
    select m.*, sessions.session_id as unit_id
    from matches_of_people as m
{% if in_parts | default(false) %}
    left join (select * from sessions where abs(device_id % $parts) = $part) as sessions
{% else %}
    left join sessions
{% endif %}
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
