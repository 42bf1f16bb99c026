{# How many events there were on each element or placement, by their type.

   place   the column of where an event `e` happened
   source  the relation of facts, of events, or of what was found already
   kind    which of these it is: "facts", "events" or "found" #}
select e.type, {{ place }} as place_id, {% if kind == "events" %}count(*){% else %}sum(e.events){% endif %}::bigint as events
from {{ source }} as e
where e.element_id is not null
{% if kind == "found" %}
    and e.verdict = 1
{% else %}
    and e.site = $site
    and {% include "left_out.sql" %} is null
{% endif %}
group by e.type, place_id
