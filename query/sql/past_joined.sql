{# `moments` and `found`, as `past.sql` makes them: from the facts that match, and from the matches that no fact tells of.

   has_rest  whether there are such, in `matched` #}
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
