{# How many people are in the cohort that was chosen, of all who have an event that counts.

   chosen   the condition on the person of an event `m` #}
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        , case when e.source = 'server' then e.user_id end as own_user_id
    from lake.events as e
    where e.site = $site
        and epoch_us(e.time) <= $now_at
        and ({% include "left_out.sql" %}) is null
),
{% include "persons.sql" %}

select
    count(distinct m.person_id) filter (where {{ chosen }}) as people
    , count(distinct m.person_id) as everyone
from matches_of_people as m
;
