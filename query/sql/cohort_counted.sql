{# Everybody of whom an event counts, as `matches_of_people`: of whom a cohort can be. #}
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
