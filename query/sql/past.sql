{# The matches of one definition, without their order: ids of events and pages are wide, and nothing here needs them.

   They are asked for in several ways: how many (`totals`) and when (`quarters` of an hour, of those that count), on
   how many devices of nobody (`strangers`), of whom the others were (`persons`), at what moment those of several users
   (`moments`), and of what kind they were (`found`).

   source       the relation of its events
   match        the compiled definition, on rows of that
   has_bounds   whether $from_time and $until_time bound the events #}
create or replace temp table matched as
{% for expression in match.expressions() %}
{% if loop.first %}with
{% endif %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select
    e.time
    , e.device_id
    -- A server's event belongs to the user it names.
    , case when e.source = 'server' then e.user_id end as own_user_id
    , {% include "verdict.sql" %} as verdict
    , e.type
    , e.element_id
    , e.placement_id
    , coalesce(e.label, e.text) as said
    , e.path
from {{ source }} as e
where e.site = $site
{% if has_bounds %}
    and e.time >= $from_time
    and e.time < $until_time
{% endif %}
    and {{ match.possibly }}
;

create or replace temp view totals as
select verdict, count(*) as events, min(time) as first, max(time) as last from matched group by verdict
;

-- Days begin at a quarter of an hour in every time zone, and asking what day it is takes longer than all the rest.
create or replace temp view quarters as
select epoch_us(time) // 900000000 as quarter, count(*) as events from matched where verdict = 1 group by quarter
;

create or replace temp table found_on as
select distinct verdict, own_user_id, device_id from matched
;

create or replace temp view strangers as
select verdict, count(distinct device_id) as people
from found_on
where own_user_id is null and device_id not in (select device_id from lake.people_of_devices)
group by verdict
;

create or replace temp view persons as
select found_on.verdict, coalesce(joined.person_id, found_on.own_user_id, owners.person_id) as person_id
from found_on
left join lake.people_of_devices as owners on owners.device_id = found_on.device_id and found_on.own_user_id is null
left join lake.joined_users as joined on joined.user_id = found_on.own_user_id
where found_on.own_user_id is not null or not owners.are_several
;

create or replace temp view moments as
select time, device_id, own_user_id, verdict from matched
;

create or replace temp view found as
select verdict, type, element_id, placement_id, said, path, 1 as events, time as last from matched
;
