{# Whose the rows of `matches` are, as lake/sql/persons.sql says it of all events. `own_user_id` is that of a server's event,
   `known_user_id` the user whose an event is, if one is known.

   A null on one side of a login is the beginning or the end of time.

   has_owners   whether the relation `lake.owners` (login_moments.sql) may say whose devices are that one user had #}
matches_of_users as (
    select matches.*, coalesce(matches.own_user_id, logins.user_id) as known_user_id
    from matches
{% if turn | default(none) %}
    left join (
        select * from lake.logins where device_id in (select device_id from session_moments where unclear = {{ turn.unclear }})
    ) as logins
{% elif has_owners | default(false) %}
    left join (
        select * from lake.logins where device_id in (select device_id from lake.owners where person_id is null)
    ) as logins
{% else %}
    left join lake.logins as logins
{% endif %}
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
),
matches_of_people as (
    select
        m.*
{% if has_owners | default(false) %}
        , coalesce(joined.person_id, m.known_user_id, owners.person_id, m.device_id) as person_id
        , coalesce(m.known_user_id, owners.person_id) is not null as is_user
{% else %}
        , coalesce(joined.person_id, m.known_user_id, m.device_id) as person_id
        , m.known_user_id is not null as is_user
{% endif %}
    from matches_of_users as m
    left join lake.joined_users as joined on joined.user_id = m.known_user_id
{% if has_owners | default(false) %}
    left join lake.owners as owners on owners.device_id = m.device_id
{% endif %}
)
