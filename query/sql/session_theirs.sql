{# The sessions in which a person did anything that counts, whoever else had the device in them, as `theirs`.

   $person  the person #}
create or replace temp table theirs as
with
matches as (
    select
        e.device_id, s.began, e.event_id, e.time, e.page_id, e.page_seq
        , case when e.source = 'server' then e.user_id end as own_user_id
    from owned as s
{% include "session_joined.sql" %}
    where {% include "left_out_number.sql" %} = 0
),
{% include "persons.sql" %}
select distinct device_id, began
from matches_of_people
where person_id = $person
;
