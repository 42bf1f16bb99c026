{# How many events of a relation a definition matches.

   source  the relation, of rows that stand for events
   chosen  the condition on a row
   other   the compiled definition, on such rows #}
with
{% for expression in other.expressions() %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select coalesce(sum(e.events), 0)::bigint as events
from {{ source }} as e
where {{ chosen }}
    and {{ other.surely }}
;
