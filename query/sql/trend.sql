{# Events and people per calendar period.

   period   "hour", "day", "week" or "month"; a bucket is its number, of an hour the instant at which it began
   by_flag  whether events are grouped by the variation of the first exposure #}
create or replace temp table counted as
select
    matched.person_id
{% if by_flag %}
    , case
        when matched.is_after_exposure then 'variation'
        when matched.is_after_exposure is null then 'not exposed'
        else 'before exposure'
    end as kind
    , case when matched.is_after_exposure then exposed.variation end as value
    , exposed.variations
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
left join exposed on exposed.person_id = matched.person_id
{% endif %}
where matched.is_sure
    and matched.left_out is null
;

select 'total' as kind, null as value, bucket, count(*) as events, count(distinct person_id) as people
from counted
group by bucket
union all
select 'total', null, null, count(*), count(distinct person_id)
from counted
{% if by_flag %}
union all
select kind, value, bucket, count(*), count(distinct person_id)
from counted
group by kind, value, bucket
union all
-- People who saw several variations, and all who saw one.
select 'exposed', null, null, count(distinct case when variations > 1 then person_id end), count(distinct person_id)
from counted
where kind <> 'not exposed'
{% endif %}
;
