{# The units of a point of a trend, or of all of it, from the relation `counted`, by the time of their first event there.

   named      what they are called: "person", "session", "device" or "group"
   has_bucket whether only the period $bucket is asked for
   has_group  whether only the group $kind, $value is asked for #}
create or replace temp table behind as
select unit_id, event_id, moment
from counted
where step = 1
    and unit_id is not null
{% if has_bucket %}
    and bucket = $bucket
{% endif %}
{% if has_group %}
    and kind = $kind
    and ($value is null or value = $value)
{% endif %}
;

create or replace temp table chosen as
select unit_id, min(moment) as first, count(*) over () as total
from behind
group by unit_id
order by first, unit_id
limit $limit
;

with
{% include "unit_names.sql" %}

select chosen.total, chosen.unit_id, names.name, names.name is not null as is_user, behind.event_id, behind.moment
from chosen
join behind on behind.unit_id = chosen.unit_id
left join names on names.unit_id = chosen.unit_id
order by chosen.first, chosen.unit_id, behind.moment, behind.event_id
;
