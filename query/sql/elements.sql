{# The elements or placements on which an event has a selector's match: surely, or possibly. A question asks once.

   relation     the table to make
   expressions  of the compiled selector, with its sets `matches`, `surely` and `possibly` of this `id`

   is_subject says of an element that it surely matches itself, and not only something that it is inside of. #}
create or replace temp table {{ relation }} as
with
{% for expression in expressions %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select {{ id }} as place_id, max(is_sure) as is_sure, max(is_subject) as is_subject
from (
    select {{ id }}, true as is_sure, false as is_subject from {{ surely }}
    union all
    select {{ id }}, false, false from {{ possibly }}
    union all
    select {{ id }}, true, true from {{ matches }} where is_sure
) as found
group by {{ id }}
;
