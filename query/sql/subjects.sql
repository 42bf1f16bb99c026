{# How far up the chain of some elements or placements the subject is: the first that the selector matches.

   matches  the compiled definition
   $places  which: values, because the ancestors of all others would be looked up beside a relation #}
with
{% for expression in matches.expressions() %}
{{ expression }},
{% endfor %}
subjects as (
{% for subjects in matches.subjects %}
{% if not loop.first %}
    union all
{% endif %}
    select place_id, distance
    from (
        {{ subjects }}
    ) as subjects
    where list_contains($places, place_id)
{% else %}
    select element_id as place_id, 0 as distance from lake.elements where false
{% endfor %}
)
select place_id, min(distance) as distance
from subjects
group by place_id
;
