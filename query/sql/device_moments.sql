{# The moments of the events of some devices.

   has_bounds          whether only events from $from_time and before $until_time are looked at
   $lowest, $highest   the first and the last of these devices #}
select e.device_id, epoch_us(e.time) as moment
from lake.events as e
where e.site = $site
    and e.device_id between $lowest and $highest
{% if has_bounds %}
    and e.time >= $from_time
    and e.time < $until_time
{% endif %}
