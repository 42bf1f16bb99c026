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
    select device_id, event_id, time, page_id, page_seq, own_user_id, left_out as reason
    from shared
    where left_out > 0
),
{% include "persons.sql" %},
{% endif %}
everybody as (
    select reason, person_id from of_clear
{% if has_unclear %}
    union all
    select reason, person_id from matches_of_people
{% endif %}
)
select reason, count(distinct person_id) as people
from everybody
group by reason
;
