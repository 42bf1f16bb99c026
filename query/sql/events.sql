{# The events of one definition, with what questions ask of them.

   relation   the table to make
   match      the compiled definition
   columns    of the event
   source     where the events are
   has_file   whether `filename` comes along #}
create or replace temp table {{ relation }} as
{% for expression in match.expressions() %}
{% if loop.first %}with
{% endif %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select
{% for column in columns %}
    {% if not loop.first %}, {% endif %}e.{{ column }}
{% endfor %}
{% if has_file %}
    , e.filename
{% endif %}
{% if match.has_unknown %}
    , coalesce({{ match.surely }}, false) as is_sure
{% else %}
    , true as is_sure
{% endif %}
from {{ source }} as e
where {{ match.possibly }}
;
