{# Each device, with how many events it sent from when to when, in the order of their ids.

   has_bounds   whether only events from $from_time and before $until_time are looked at #}
select
    e.device_id, count(*) as events, min(epoch_us(e.time)) as earliest, max(epoch_us(e.time)) as latest
    , e.device_id in (select device_id from lake.devices where is_daily) as is_daily
from lake.events as e
where e.site = $site
    and e.device_id is not null
{% if has_bounds %}
    and e.time >= $from_time
    and e.time < $until_time
{% endif %}
group by e.device_id
order by e.device_id
