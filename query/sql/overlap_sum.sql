{# How many events of a relation each of some definitions matches: a column each.

   source  the relation, of rows that stand for events
   chosen  the condition on a row
   others  the compiled definitions, on such rows #}
with
{% for other in others %}
{% set is_last = loop.last %}
{% for expression in other.expressions() %}
{{ expression }}{% if not (is_last and loop.last) %},{% endif %}

{% endfor %}
{% endfor %}
select
{% for other in others %}
    {% if not loop.first %}, {% endif %}coalesce(sum(e.events) filter (where {{ other.surely }}), 0)::bigint
{% endfor %}
from {{ source }} as e
where {{ chosen }}
;
