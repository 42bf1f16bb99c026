{# The figures of some sessions. #}
count(*) as sessions
    , count(distinct person_id) as people
    , count(distinct device_id) as devices
    , cast(sum(events) as bigint) as events
    , cast(sum(page_views) as bigint) as page_views
    , count(*) filter (where page_views > 0) as viewing
    , count(*) filter (where page_views = 1) as bounces
    , count(*) filter (where $now_at - ended <= $gap) as running
    -- All at once: each by itself would hold every length again.
    , quantile_disc(ended - began, [{% for percentile in percentiles %}{{ percentile }} / 100.0{% if not loop.last %}, {% endif %}{% endfor %}]) as lasted
    , quantile_disc(page_views, 50 / 100.0) as median_page_views
