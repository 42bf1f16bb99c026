{# The counted events by what definitions ask of them, from facts and from the events that no fact tells of.

   columns    what is asked, with commas between
   has_types  whether only events of $types are
   has_rest   whether there are events that no fact tells of, in the relation `rest`
   facts      the relation of facts #}
create or replace temp table counted_facts as
with
counted as (
    select {{ columns }}, e.events
    from {{ facts }} as e
    where e.site = $site
        and {% include "left_out.sql" %} is null
{% if has_types %}
        and e.type in (select unnest($types))
{% endif %}
{% if has_rest %}
    union all
    select {{ columns }}, 1
    from {{ rest }} as e
    where e.site = $site
        and {% include "left_out.sql" %} is null
{% if has_types %}
        and e.type in (select unnest($types))
{% endif %}
{% endif %}
)
select {{ columns }}, sum(events)::bigint as events
from counted
group by {{ columns }}
;
