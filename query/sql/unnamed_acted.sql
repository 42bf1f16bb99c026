{# All that happened on elements, named or not, by what a definition may ask of it and by person: one pass over the events
   for all that is offered.

   $types                  of these types
   $from_time, $until_time  bound the events #}
create or replace temp table acted as
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        , case when e.source = 'server' then e.user_id end as own_user_id
        , e.site, e.type, e.element_id, e.placement_id, e.label, e.text, e.marks, e.path
    from lake.events as e
    where e.site = $site
        and e.element_id is not null
        and e.type in (select unnest($types))
        and e.time >= $from_time
        and e.time < $until_time
        and {% include "left_out.sql" %} is null
),
{% include "persons.sql" %}
select
    site, type, element_id, placement_id, label, text, marks, path, person_id
    , count(*) as events
    , max(time) as time
    , arg_max(page_id, (time, page_id, page_seq, event_id)) as page_id
    , arg_max(page_seq, (time, page_id, page_seq, event_id)) as page_seq
    , arg_max(event_id, (time, page_id, page_seq, event_id)) as event_id
from matches_of_people
group by site, type, element_id, placement_id, label, text, marks, path, person_id
;
