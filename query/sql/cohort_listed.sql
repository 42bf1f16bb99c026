{# The people behind a list of ids: who is one of the users, and who has an event of one of the devices.

   users, devices   the values that hold the ids #}
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , list_contains({{ devices }}, e.device_id) as is_device
    from lake.events as e
    where e.site = $site
        and (
            list_contains({{ devices }}, e.device_id)
            -- These belong to the user they name, unless that was undone.
            or (list_contains({{ users }}, e.user_id) and (e.type = 'identify' or e.source = 'server'))
        )
),
{% include "persons.sql" %}

select distinct person_id
from matches_of_people
where person_id is not null
    and (is_device or is_user)
