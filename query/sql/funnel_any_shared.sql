{# The events of units of which an event matches several steps, for `query/funnel_any.py`.

   stages    the steps
   ends      numbers of what ends an attempt
   by_flag   whether units are grouped by the variation of an exposure #}
select
    unit_id, position, moment, step, is_entry, is_complete
    , {% if by_flag %}is_after_exposure{% else %}false{% endif %} as is_after_exposure
from counted
where unit_id in (select unit_id from shared)
    and (step <= {{ stages | length }}{% if ends %} or step in ({{ ends }}){% endif %})
order by unit_id, position, step
;
