{# The numbers of a funnel by the period in which the shown attempt began.

   stages   the steps: `number`, `is_optional`
   period   "day", "week" or "month"

   $time_zone, $week_start   the report's days, and its first day of the week counted from Monday as 0 #}
with
entries as (
    select results.*, at_1 as moment
    from results
)
select
    kind
    , value
    , {% include "period.sql" %} as period
    , count(*) filter (where moment + $within >= $now_at) as incomplete_units
{% for stage in stages %}
{% if stage.is_optional %}
    , count(*) filter (where at_{{ stage.number }} is not null) as units_{{ stage.number }}
{% else %}
    , count(*) filter (where reached >= {{ stage.number }}) as units_{{ stage.number }}
{% endif %}
{% endfor %}
from entries
group by kind, value, period
order by kind, value, period
;
