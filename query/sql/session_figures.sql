{# The figures of some sessions. #}
count(*) as sessions
    , count(distinct person_id) as people
    , count(distinct device_id) as devices
    , cast(sum(events) as bigint) as events
    , cast(sum(page_views) as bigint) as page_views
    , count(*) filter (where page_views > 0) as viewing
    , count(*) filter (where page_views = 1) as bounces
    , count(*) filter (where $now_at - ended <= $gap) as running
{% for percentile in percentiles %}
    , quantile_disc(ended - began, {{ percentile }} / 100.0) as lasted_{{ percentile }}
{% endfor %}
    , quantile_disc(page_views, 50 / 100.0) as median_page_views
