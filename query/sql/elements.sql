{# The elements or placements on which an event has a selector's match: surely, or possibly. A question asks once.

   relation     the table to make
   expressions  of the compiled selector, with its sets `surely` and `possibly` of this `id` #}
create or replace temp table {{ relation }} as
with
{% for expression in expressions %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select {{ id }} as place_id, max(is_sure) as is_sure
from (
    select {{ id }}, true as is_sure from {{ surely }}
    union all
    select {{ id }}, false from {{ possibly }}
) as found
group by {{ id }}
;
