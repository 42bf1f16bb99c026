{# How many past events the selector of each level of a chain matches, as a definition of that selector would count.

   levels  one compiled selector per level, the target's first
   $type   the type of the event that was opened #}
with
counts as (
    select element_id, placement_id, count(*) as events
    from (
        select e.element_id, e.placement_id, {% include "left_out.sql" %} as left_out
        from lake.events as e
        where e.site = $site
            and e.type = $type
            and e.element_id is not null
    ) as events
    where left_out is null
    group by element_id, placement_id
)
{% for level in levels %}
{% for expression in level.expressions %}
, {{ expression }}
{% endfor %}
{% endfor %}
{% for level in levels %}
{% if not loop.first %}
union all
{% endif %}
select {{ loop.index0 }} as place, cast(coalesce(sum(events), 0) as bigint) as events
from counts as e
where {{ level.holds }}
{% endfor %}
order by place
;
