{# The events of one session in their order, as `latest`, all that its device sent in it, with whose each is.

   $limit  how many, the first ones #}
create or replace temp table latest as
with
matches as (
    select
        e.* replace (coalesce(e.placement_id, e.element_id) as placement_id)
        , case when e.source = 'server' then e.user_id end as own_user_id
    from listed as s
{% include "session_joined.sql" %}
    order by e.time, e.page_id, e.page_seq, e.event_id
    limit $limit
),
{% include "persons.sql" %}
select * from matches_of_people
;

{% include "latest_events.sql" %}
order by latest.time, latest.page_id, latest.page_seq, latest.event_id
;
