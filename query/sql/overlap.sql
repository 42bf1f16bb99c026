{# How many counted events one definition matches, and how many of these another one matches as well.

   source       the relation of events, or of `counted_facts`, which are chosen already
   this, other  compiled definitions, on rows of that
   has_bounds   whether $from_time and $until_time bound the events
   are_facts    whether a row stands for many events #}
with
{% for expression in this.expressions() + other.expressions() %}
{{ expression }},
{% endfor %}
answers as (
    select coalesce({{ this.surely }}, false) as is_this, {% if are_facts %}e.events{% else %}1{% endif %} as events
    from {{ source }} as e
    where {{ other.surely }}
{% if not are_facts %}
        and e.site = $site
        and {% include "left_out.sql" %} is null
{% endif %}
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
)
select
    coalesce(sum(events) filter (where is_this), 0)::bigint as of_both
    , coalesce(sum(events), 0)::bigint as of_other
from answers
;
