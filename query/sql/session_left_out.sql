{# How many people have events that are not counted in the sessions of the range, by the number of the reason. #}
with
of_clear as (
    select 1 as reason, owner_id as person_id from owned where of_bots > 0 and not is_unclear
    union all
    select 2, owner_id from owned where internal > 0 and not is_unclear
    union all
    select 3, owner_id from owned where elsewhere > 0 and not is_unclear
),
{% if has_unclear %}
matches as (
    select
        e.device_id, e.event_id, e.time, e.page_id, e.page_seq
        , case when e.source = 'server' then e.user_id end as own_user_id
        , {% include "left_out_number.sql" %} as reason
    from owned
    join lake.events as e
        on e.device_id = owned.device_id
        and epoch_us(e.time) >= owned.began
        and epoch_us(e.time) <= owned.ended
    where e.site = $site
        and e.time >= $from_time
        and e.time < $until_time
        and owned.is_unclear
        and owned.of_bots + owned.internal + owned.elsewhere > 0
),
{% include "persons.sql" %},
{% endif %}
everybody as (
    select reason, person_id from of_clear
{% if has_unclear %}
    union all
    select reason, person_id from matches_of_people where reason > 0
{% endif %}
)
select reason, count(distinct person_id) as people
from everybody
group by reason
;
