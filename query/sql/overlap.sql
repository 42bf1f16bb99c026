{# How many counted events one definition matches, and how many of these another one matches as well.

   source       the relation of events, or of facts
   of_each      how many events a row of it is
   this, other  compiled definitions, on rows of that
   has_bounds   whether $from_time and $until_time bound the events #}
with
{% for expression in this.expressions() + other.expressions() %}
{{ expression }},
{% endfor %}
answers as (
    select coalesce({{ this.surely }}, false) as is_this, {{ of_each }} as events
    from {{ source }} as e
    where e.site = $site
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and {% include "left_out.sql" %} is null
        and {{ other.surely }}
)
select
    coalesce(sum(events) filter (where is_this), 0)::bigint as of_both
    , coalesce(sum(events), 0)::bigint as of_other
from answers
;
