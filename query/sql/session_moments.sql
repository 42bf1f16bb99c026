{# The devices and moments of all events that a question asks for: see `session_moments.py`.

   sources     `relation` of the events, and `match`, a compiled definition, on rows of that
   has_bounds  whether $from_time and $until_time bound the events #}
with
{% for source in sources %}
{% set match = source.match %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
matches_{{ loop.index }} as (
    select e.device_id, epoch_us(e.time) as moment
    from {{ source.relation }} as e
    where e.site = $site
        and e.device_id is not null
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and {{ match.possibly }}
){% if not loop.last %},{% endif %}

{% endfor %}
{% for source in sources %}
{% if not loop.first %}
union all
{% endif %}
select device_id, moment from matches_{{ loop.index }}
{% endfor %}
