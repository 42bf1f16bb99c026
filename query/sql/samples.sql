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
    select element_id, subject_id from ({{ subjects }}) as subjects_{{ loop.index }}
{% else %}
    select element_id, element_id as subject_id from lake.elements where false
{% endfor %}
),
chosen as (
    select element_id, count(*) as events
    from counted
    where element_id is not null
    group by element_id
    order by events desc, element_id
    limit $samples
)
select chosen.element_id, chosen.events, min(subjects.subject_id) as subject_id
from chosen
left join subjects on subjects.element_id = chosen.element_id
group by chosen.element_id, chosen.events
;

select element_id, events, subject_id from samples order by events desc, element_id
;
