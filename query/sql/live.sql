{# The latest events as they arrived, with their people.

   has_types      whether only some types are asked for
   chosen         a condition on the person of an event `m`, where only some people are asked for
   $latest        how many
   $types         which types #}
create or replace temp table latest as
with
matches as (
    select
        e.* replace (coalesce(e.placement_id, e.element_id) as placement_id)
        , case when e.source = 'server' then e.user_id end as own_user_id
    from lake.events as e
    where e.site = $site
{% if has_types %}
        and list_contains($types, e.type)
{% endif %}
{% if not chosen %}
    order by e.received_at desc, e.time desc, e.page_id desc, e.page_seq desc, e.event_id desc
    limit $latest
{% endif %}
),
{% include "persons.sql" %}
select *
from matches_of_people as m
{% if chosen %}
where {{ chosen }}
order by m.received_at desc, m.time desc, m.page_id desc, m.page_seq desc, m.event_id desc
limit $latest
{% endif %}
;

{% include "latest_events.sql" %}
order by latest.received_at desc, latest.time desc, latest.page_id desc, latest.page_seq desc, latest.event_id desc
;
