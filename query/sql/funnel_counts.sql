{# The numbers of a funnel, from the relation `results`.

   stages  the steps: `number`, `is_optional` #}
select
    kind
    , value
    , count(*) as units
    , count(*) filter (where variations > 1) as several_variations
    , count(*) filter (where at_1 + $within >= $now_at) as incomplete_units
{% for stage in stages %}
{% if stage.is_optional %}
    , count(*) filter (where at_{{ stage.number }} is not null) as units_{{ stage.number }}
    , count(*) filter (where at_{{ stage.number }} is not null and at_1 + $within < $now_at) as complete_units_{{ stage.number }}
{% else %}
    , count(*) filter (where reached >= {{ stage.number }}) as units_{{ stage.number }}
    , count(*) filter (where reached_complete >= {{ stage.number }}) as complete_units_{{ stage.number }}
{% endif %}
{% endfor %}
from results
group by kind, value
order by kind, value
;
