{# The matches of one definition of some people alone, and what is asked of them: see past.sql, which knows no persons.

   source       the relation of its events
   match        the compiled definition, on rows of that
   has_bounds   whether $from_time and $until_time bound the events
   chosen       a condition on the person of an event `m`: whose events count at all #}
create or replace temp table matched as
with
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
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
),
{% include "persons.sql" %}
select time, person_id, verdict, type, element_id, placement_id, said, path
from matches_of_people as m
where {{ chosen }}
;

create or replace temp view quarters as
select epoch_us(time) // 900000000 as quarter, count(*) as events from matched where verdict = 1 group by quarter
;

create or replace temp view found as
select verdict, type, element_id, placement_id, said, path, 1 as events, time as last from matched
;

select
    verdict > 0 as is_sure
    , case abs(verdict) when 2 then 'bots' when 3 then 'internal' when 4 then 'environment' end as left_out
    , count(*) as events
    , count(distinct person_id) as people
    , epoch_us(min(time)) as first
    , epoch_us(max(time)) as last
from matched
group by verdict
order by is_sure, left_out
;
