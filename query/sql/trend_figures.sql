{# Events and units of the definition that a trend is of, and what is measured of each. #}
count(*) filter (where step = 1) as events
    , count(distinct unit_id) filter (where step = 1) as units
{% for measure in measures %}
    , {{ measure }} as measure_{{ loop.index }}
{% endfor %}
