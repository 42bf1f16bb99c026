{# Events, units and measures per calendar period.

   unit      the column of `matched` that is counted
   period    "hour", "day", "week" or "month"; a bucket is its number, of an hour the instant at which it began
   by_flag   whether events are grouped by the variation of an exposure
   several   then: what of units that saw several
   by_value  whether they are grouped by a value of their own
   has_own   then: that stands in `matched`; else it is in the relation `valued`
   groups    how many values are told apart; the rest are "other"
   numbers   how many properties are measured
   measures  an expression over the rows of a group for each definition
   has_events  whether ids and moments of events come along #}
{% if has_own %}
create or replace temp table largest as
select value
from matched
where value is not null
group by value
order by count(*) desc, value
limit {{ groups }}
;

{% endif %}
create or replace temp table counted as
select
    matched.{{ unit }} as unit_id
    , matched.step
{% if has_events %}
    , matched.event_id
    , matched.moment
{% endif %}
{% for _ in range(numbers) %}
    , matched.type_{{ loop.index }}
    , matched.number_{{ loop.index }}
{% endfor %}
{% if by_flag %}
    , case
        when matched.is_after_exposure is null then 'not exposed'
        when not matched.is_after_exposure then 'before exposure'
{% if several == "exclude" %}
        when exposed.variations > 1 then 'several variations'
{% endif %}
        else 'variation'
    end as kind
    , case
        when not coalesce(matched.is_after_exposure, false) then null
{% if several == "exclude" %}
        when exposed.variations > 1 then null
{% endif %}
{% if several == "as_treated" %}
        else coalesce(treated.variation, exposed.variation)
{% else %}
        else exposed.variation
{% endif %}
    end as value
    , exposed.variations
{% elif has_own %}
    , case
        when matched.value is null then 'no value'
        when largest.value is null then 'other'
        else 'value'
    end as kind
    , largest.value
{% elif by_value %}
    , coalesce(valued.kind, 'no value') as kind
    , valued.value
{% endif %}
{% if period == "hour" %}
    , moment - (
        epoch_us(timezone($time_zone, timezone('UTC', make_timestamp(moment)))) % 3600000000 + 3600000000
    ) % 3600000000 as bucket
{% else %}
    , {% include "period.sql" %} as bucket
{% endif %}
from matched
{% if by_flag %}
left join exposed on exposed.unit_id = matched.{{ unit }}
{% if several == "as_treated" %}
left join treated
    on treated.unit_id = matched.{{ unit }}
    and treated.position = matched.position
{% endif %}
{% elif has_own %}
left join largest on largest.value = matched.value
{% elif by_value %}
left join valued
    on valued.unit_id is not distinct from matched.{{ unit }}
    and valued.position = matched.position
{% endif %}
where matched.is_sure
    and matched.left_out is null
;

select
    'total' as kind, null as value, bucket
    , {% include "trend_figures.sql" %}

from counted
group by bucket
union all
select
    'total', null, null
    , {% include "trend_figures.sql" %}

from counted
{% if by_flag or by_value %}
union all
select
    kind, value, bucket
    , {% include "trend_figures.sql" %}

from counted
group by kind, value, bucket
union all
select
    kind, value, null
    , {% include "trend_figures.sql" %}

from counted
group by kind, value
{% endif %}
{% if by_flag %}
union all
-- Units that saw several variations, and all who saw one.
select
    'exposed', null, null
    , count(distinct case when variations > 1 then unit_id end)
    , count(distinct unit_id)
{% for _ in measures %}
    , null
{% endfor %}
from counted
where kind <> 'not exposed'
{% endif %}
;
