{# How many counted events there were on each element, from facts and from the events that no fact tells of.

   columns   what definitions ask: `type`, `element_id`, and if a place is asked for `placement_id`
   facts     the relation of facts
   rest      the relation of the other events; null without one
   $types    the types of events that are asked about #}
create or replace temp table counted_places as
with
counted as (
    select {{ columns }}, e.events
    from {{ facts }} as e
    where e.site = $site
        and {% include "left_out.sql" %} is null
        and e.type in (select unnest($types))
{% if rest %}
    union all
    select {{ columns }}, 1
    from {{ rest }} as e
    where e.site = $site
        and {% include "left_out.sql" %} is null
        and e.type in (select unnest($types))
{% endif %}
)
select {{ columns }}, sum(events)::bigint as events
from counted
group by {{ columns }}
;
