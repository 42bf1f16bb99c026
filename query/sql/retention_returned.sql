{# Which entries came back in which period, from `entered` and what its groups are.

   unit       the column of `matched` that is counted
   period     "day", "week" or "month"
   length     if periods are counted from the unit's own start: how long one is, in microseconds
   by_flag    whether units are grouped by the variation of an exposure
   several    then: what of those who saw several
   by_value   whether entries are grouped by a value
   mode       "on": in period n; "on_or_after": in period n or later
   brackets   stretches of periods that count as one: `number`, `low`, `high`

   $periods   the last period that is asked for
   $now_at    returns count until now #}
{% include "began.sql" %}

-- In which periods after its own an entry came back. In the period of the entry it has to be a later event.
create or replace temp table came_back as
with
returns as (
    select
        {{ unit }} as unit_id
        , position
        , moment
{% if not length %}
        , {% include "period.sql" %} as number
{% endif %}
{% if by_flag %}
        , coalesce(is_after_exposure, false) as is_after_exposure
{% endif %}
    from matched
    where step = 2
        and is_sure
        and left_out is null
        and moment <= $now_at
),
{% if not length %}
-- One row for each period in which a unit did it: the latest event there decides whether it is later than an entry.
periods as (
    select
        unit_id, number
{% if by_flag %}
        , is_after_exposure
{% endif %}
        , max(position) as position
    from returns
    group by unit_id, number{% if by_flag %}, is_after_exposure{% endif %}

),
{% endif %}
pairs as (
    select
        began.kind, began.value, began.unit_id, began.cohort, began.position, returns.position as returned_at
{% if length %}
        , cast(floor((returns.moment - began.moment) / {{ length }}) as bigint) as period
        , cast(floor(($now_at - began.moment) / {{ length }}) as bigint) as over
{% else %}
        , returns.number - began.cohort as period
{% endif %}
    from began
    join {% if length %}returns{% else %}periods as returns{% endif %} on returns.unit_id = began.unit_id
    where returns.position > began.position
{% if by_flag %}
        and (returns.is_after_exposure or not began.is_exposed_only)
{% endif %}
),
{% if mode == "on_or_after" %}
-- Who came back in a period came back in it or later for all before it.
latest as (
    select
        kind, value, unit_id, cohort, position, max(returned_at) as returned_at
        , least(max(period), $periods{% if length %}, max(over) - 1{% endif %}) as period
    from pairs
    group by kind, value, unit_id, cohort, position
)
select * from latest where period >= 0
{% else %}
cells as (
    select
        kind, value, unit_id, cohort, position, returned_at
{% if brackets %}
        , case
{% for bracket in brackets %}
            when period between {{ bracket.low }} and {{ bracket.high }} then {{ bracket.number }}
{% endfor %}
        end as period
{% else %}
        , period
{% endif %}
    from pairs
    where period between 0 and $periods
{% if length %}
        and {% if brackets %}case
{% for bracket in brackets %}
            when period between {{ bracket.low }} and {{ bracket.high }} then {{ bracket.high }}
{% endfor %}
        end{% else %}period{% endif %} < over
{% endif %}
)
select kind, value, unit_id, cohort, position, period, max(returned_at) as returned_at
from cells
where period is not null
group by kind, value, unit_id, cohort, position, period
{% endif %}
;

with
sizes as (
    select
        kind, value, cohort
        , {% if length %}cast(floor(($now_at - moment) / {{ length }}) as bigint){% else %}cast(null as bigint){% endif %} as over
    from began
)
select 'size' as fact, kind, value, cohort, over as period, count(*) as units, null as several
from sizes
group by kind, value, cohort, over
union all
select 'returned', kind, value, cohort, period, count(*), null
from came_back
group by kind, value, cohort, period
union all
select 'exposed', null, null, null, null, count(distinct unit_id), count(distinct case when variations > 1 then unit_id end)
from began
where variations is not null
order by fact, kind, value, cohort, period
;
