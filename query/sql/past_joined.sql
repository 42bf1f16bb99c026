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

create or replace temp view found_on as
select verdict, own_user_id, device_id from found_on_of_facts
{% if has_rest %}
union
select verdict, own_user_id, device_id from matched
{% endif %}
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
