{# How many events of a relation match, surely or possibly.

   match    the compiled definition
   source   the relation #}
{% for expression in match.expressions() %}
{% if loop.first %}with
{% endif %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select count(*)
from {{ source }} as e
where {{ match.possibly }}
;
