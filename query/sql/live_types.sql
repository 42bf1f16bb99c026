{# How many events the site has of each type, the commonest first.

   chosen   a condition on the person of an event `m`, where only some people are asked for #}
{% if chosen %}
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id, e.type
        , case when e.source = 'server' then e.user_id end as own_user_id
    from lake.events as e
    where e.site = $site
),
{% include "persons.sql" %}
select type, count(*) as events
from matches_of_people as m
where {{ chosen }}
{% else %}
select type, count(*) as events
from lake.events
where site = $site
{% endif %}
group by type
order by events desc, type
;
