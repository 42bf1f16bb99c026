{# The elements that matched most often, with the subject: the first of the chain that the selector matches.

   matches  the compiled definition
   $samples how many #}
create or replace temp table samples as
with
{% for expression in matches.expressions() %}
{{ expression }},
{% endfor %}
subjects as (
{% for subjects in matches.subjects %}
{% if not loop.first %}
    union all
{% endif %}
    {{ subjects }}
{% else %}
    select element_id as place_id, 0 as distance from lake.elements where false
{% endfor %}
),
most as (
    select element_id, sum(events)::bigint as events
    from found
    where verdict = 1 and element_id is not null
    group by element_id
    order by events desc, element_id
    limit $samples
),
chosen as (
    -- An element is shown in the place where it was met last.
    select
        element_id
        , arg_max(coalesce(placement_id, element_id), (last, placement_id)) as placement_id
        , sum(events)::bigint as events
    from found
    where verdict = 1 and element_id in (select element_id from most)
    group by element_id
)
select chosen.element_id, chosen.placement_id, chosen.events, min(subjects.distance) as subject_distance
from chosen
left join subjects on subjects.place_id in (chosen.element_id, chosen.placement_id)
group by chosen.element_id, chosen.placement_id, chosen.events
;

select element_id, placement_id, events, subject_distance from samples order by events desc, element_id
;
