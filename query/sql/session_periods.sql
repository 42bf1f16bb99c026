{# How many of the sessions that are asked about began in each period. Every period begins with a quarter of an hour. #}
with
quarters as (
    select
        cast(floor(began / 900000000) as bigint) * 900000000 as moment
        , count(*) as sessions
        , sum(page_views) as page_views
        , count(*) filter (where page_views > 0) as viewing
        , count(*) filter (where page_views = 1) as bounces
    from told
    group by moment
)
select
    {% include "period.sql" %} as number
    , cast(sum(sessions) as bigint) as sessions
    , cast(sum(page_views) as bigint) as page_views
    , cast(sum(viewing) as bigint) as viewing
    , cast(sum(bounces) as bigint) as bounces
from quarters
group by number
order by number
;
