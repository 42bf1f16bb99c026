{# One row per unit in the total, and one in the unit's group: every number of a funnel comes from these.

   by_flag     whether units are grouped by the variation of an exposure
   several     then: what of those who saw several: "first", "exclude", "as_treated" (in the relation `treated`)
   by_value    whether they are grouped by a value at their entry, in the relation `valued` #}
create or replace temp table results as
{% if by_flag %}
with
grouped as (
    select unit_id, max(is_exposed_only) as is_exposed_only
    from shown
    group by unit_id
)
{% endif %}
select 'total' as kind, cast(null as varchar) as value, cast(null as bigint) as variations, shown.*
from shown
where not shown.is_exposed_only
{% if by_flag %}
union all
select
    {% include "exposure_kind.sql" %} as kind
    , {% include "exposure_value.sql" %} as value
    , exposed.variations
    , shown.*
from shown
join grouped
    on grouped.unit_id = shown.unit_id
    and grouped.is_exposed_only = shown.is_exposed_only
left join exposed on exposed.unit_id = shown.unit_id
{% if several == "as_treated" %}
left join treated
    on treated.unit_id = shown.unit_id
    and treated.position = shown.position_1
{% endif %}
{% endif %}
{% if by_value %}
union all
select valued.kind, valued.value, null, shown.*
from shown
join valued
    on valued.unit_id = shown.unit_id
    and valued.position = shown.position_1
where not shown.is_exposed_only
{% endif %}
;
