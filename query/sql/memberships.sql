{# Which group a person belongs to from when until when: from a `group` event until the next one of that type of group.

   $group_type   the type of group #}
create or replace temp table memberships as
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id, e.group_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
    from lake.events as e
    where e.site = $site
        and e.type = 'group'
        and e.group_id in (select group_id from lake.groups where group_type = $group_type)
),
{% include "persons.sql" %},
ordered as (
    select
        person_id, group_id
        , time as begins_at, page_id as begins_page_id, page_seq as begins_page_seq, event_id as begins_event_id
        , lead(time) over in_order as ends_at
        , lead(page_id) over in_order as ends_page_id
        , lead(page_seq) over in_order as ends_page_seq
        , lead(event_id) over in_order as ends_event_id
    from matches_of_people
    where person_id is not null
    window in_order as (partition by person_id order by time, page_id, page_seq, event_id)
)
select * from ordered
;
