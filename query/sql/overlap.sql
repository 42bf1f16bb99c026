{# How many counted events one definition matches, and how many of these another one matches as well.

   this, other  compiled definitions
   has_bounds   whether $from_time and $until_time bound the events #}
with
{% for expression in this.expressions() + other.expressions() %}
{{ expression }},
{% endfor %}
answers as (
    select coalesce({{ this.surely }}, false) as is_this
    from lake.events as e
    where e.site = $site
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and {% include "left_out.sql" %} is null
        and {{ other.surely }}
)
select count(*) filter (where is_this) as of_both, count(*) as of_other
from answers
;
