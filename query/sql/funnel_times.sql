{# How long the shown attempts took, in microseconds: nearest-rank percentiles and counts of a histogram.

   stages        the steps: `number`, `before`
   percentiles   whole numbers
   bounds        upper bounds of the histogram's bars, in microseconds #}
with
times as (
{% for stage in stages %}
{% if not loop.first %}
    select kind, value, {{ stage.number }} as step, at_{{ stage.number }} - at_{{ stage.before }} as elapsed, at_{{ stage.number }} - at_1 as elapsed_from_start
    from results
    where at_{{ stage.number }} is not null
{% if not loop.last %}
    union all
{% endif %}
{% endif %}
{% endfor %}
)
select
    kind
    , value
    , step
{% for percentile in percentiles %}
    , quantile_disc(elapsed, {{ percentile }} / 100.0) as from_step_{{ percentile }}
{% endfor %}
{% for percentile in percentiles %}
    , quantile_disc(elapsed_from_start, {{ percentile }} / 100.0) as from_start_{{ percentile }}
{% endfor %}
{% for bound in bounds %}
    , count(*) filter (where elapsed_from_start <= {{ bound }}) as within_{{ loop.index }}
{% endfor %}
    , count(*) as units
from times
group by kind, value, step
order by kind, value, step
;
