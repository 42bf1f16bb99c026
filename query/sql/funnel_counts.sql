{# The numbers of a funnel, from the relation `results` of funnel.sql. Medians are nearest-rank.

   steps  number of steps #}
select
    kind
    , value
    , count(*) as people
    , count(*) filter (where variations > 1) as several_variations
    , count(*) filter (where at_1 + $within >= $now_at) as incomplete_people
{% for step in range(1, steps + 1) %}
    , count(*) filter (where reached >= {{ step }}) as people_{{ step }}
    , count(*) filter (where reached_complete >= {{ step }}) as complete_people_{{ step }}
{% if step > 1 %}
    , quantile_disc(at_{{ step }} - at_{{ step - 1 }}, 0.5) as median_{{ step }}
    , quantile_disc(at_{{ step }} - at_1, 0.5) as median_from_start_{{ step }}
{% endif %}
{% endfor %}
from results
group by kind, value
order by kind, value
;
