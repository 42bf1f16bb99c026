{# How many events pages counted and how many of them are here, in total and by one thing.

   by  "day" (of the page's first known moment), "page" (host and path) or "browser" (its device id)

   $most  how many rows are given, those with the most missing events first; days are given all #}
create or replace temp table metered as
select
    e.*
    , {% include "left_out.sql" %} as left_out
{% if by == "day" %}
    , cast(cast(timezone($time_zone, e.began_at) as date) as varchar) as value
{% elif by == "page" %}
    , e.host || e.path as value
{% else %}
    , e.device as value
{% endif %}
from losses as e
where e.site = $site
{% if has_bounds %}
    and e.began_at >= $from_time
    and e.began_at < $until_time
{% endif %}
;

create or replace temp table tallied as
select
    grouping(left_out, value) as level
    , left_out
    , value
    , cast(sum(expected) as bigint) as expected
    , cast(sum(received) as bigint) as received
    , cast(sum(missing) as bigint) as missing
    , cast(count(page_id) + sum(missing_pages) as bigint) as pages
    , cast(sum(missing_pages) as bigint) as missing_pages
    -- One row may stand for many missing pages; none of those is exact.
    , count(*) filter (where is_exact) as exact_pages
    , count(distinct device_id) as browsers
from metered
group by grouping sets ((left_out), (left_out, value))
;

select level, left_out, value, expected, received, missing, pages, missing_pages, exact_pages, browsers
from tallied
where level = 1
union all
(
    select level, left_out, value, expected, received, missing, pages, missing_pages, exact_pages, browsers
    from tallied
    where level = 0 and left_out is null
{% if by == "day" %}
    order by value
{% else %}
    order by missing desc, expected desc, value
    limit $most
{% endif %}
)
union all
select 2, null, null, count(*), 0, 0, 0, 0, 0, 0
from tallied
where level = 0 and left_out is null
;
