{# The sessions in which a person did anything that counts, whoever else had the device in them, as `theirs`.

   $person  the person #}
create or replace temp table theirs as
with
matches as (
    select
        e.device_id, owned.began, e.event_id, e.time, e.page_id, e.page_seq
        , case when e.source = 'server' then e.user_id end as own_user_id
    from owned
    join lake.events as e
        on e.device_id = owned.device_id
        and epoch_us(e.time) >= owned.began
        and epoch_us(e.time) <= owned.ended
    where e.site = $site
        and e.time >= $from_time
        and e.time < $until_time
        and {% include "left_out_number.sql" %} = 0
),
{% include "persons.sql" %}
select distinct device_id, began
from matches_of_people
where person_id = $person
;
