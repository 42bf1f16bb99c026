{# The devices and moments of all events that a question asks for: see `session_moments.py`.

   relations   each with the compiled definitions of which events are asked for there: (relation, matches)
   is_some     whether only devices from $lowest to $highest are looked at
   has_bounds  whether $from_time and $until_time bound the events #}
with
{% for relation, matches in relations %}
{% for match in matches %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
{% endfor %}
matches_{{ loop.index }} as (
    select e.device_id, epoch_us(e.time) as moment
    from {{ relation }} as e
    where e.site = $site
        and e.device_id is not null
{% if is_some %}
        and e.device_id between $lowest and $highest
{% endif %}
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and (
{% for match in matches %}
            {% if not loop.first %}or {% endif %}({{ match.possibly }})
{% endfor %}
        )
){% if not loop.last %},{% endif %}

{% endfor %}
{% for _ in relations %}
{% if not loop.first %}
union all
{% endif %}
select device_id, moment from matches_{{ loop.index }}
{% endfor %}
