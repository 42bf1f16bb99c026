{# What `past.sql` makes of matches, from those that facts tell of and from those that no fact tells of.

   has_rest  whether there are such, in `matched` #}
create or replace temp view totals as
select verdict, events, first, last from totals_of_facts
{% if has_rest %}
union all
select verdict, count(*), min(time), max(time) from matched group by verdict
{% endif %}
;

create or replace temp view quarters as
select quarter, events from quarters_of_facts
{% if has_rest %}
union all
select epoch_us(time) // 900000000, count(*) from matched where verdict = 1 group by 1
{% endif %}
;

create or replace temp view strangers as
select verdict, people from strangers_of_facts
;

create or replace temp view persons as
select verdict, person_id from persons_of_facts
union
select own.verdict, coalesce(joined.person_id, own.own_user_id)
from (
    select verdict, own_user_id from own_users_of_facts
{% if has_rest %}
    union
    select verdict, own_user_id from matched where own_user_id is not null
{% endif %}
) as own
left join lake.joined_users as joined on joined.user_id = own.own_user_id
;

create or replace temp view moments as
select time, device_id, own_user_id, verdict from moments_of_facts
{% if has_rest %}
union all
select time, device_id, own_user_id, verdict from matched
{% endif %}
;

create or replace temp view found as
select verdict, type, element_id, placement_id, said, path, events, last from found_facts
{% if has_rest %}
union all
select verdict, type, element_id, placement_id, said, path, 1, time from matched
{% endif %}
;
