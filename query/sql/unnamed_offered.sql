{# What the definitions that are offered would find of what `acted` tells, whether that has a name already or not.

   offered  (number, compiled definition, on rows of `acted`) #}
with
{% for number, match in offered %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
{% endfor %}
found as (
{% for number, match in offered %}
{% if not loop.first %}
    union all
{% endif %}
    select
        {{ number }} as number
        , e.person_id, e.events, e.time, e.page_id, e.page_seq, e.event_id
        , coalesce(e.path, '') as path
    from acted as e
    where coalesce({{ match.surely }}, false)
{% endfor %}
),
on_pages as (
    select number, path, sum(events) as events
    from found
    group by number, path
),
pages as (
    select number, arg_max(path, (events, path)) as path, count(*) as pages
    from on_pages
    group by number
)
select
    found.number
    , sum(found.events)::bigint as events
    , count(distinct found.person_id) as people
    , epoch_us(max(found.time)) as last_seen
    , arg_max(found.event_id, (found.time, found.page_id, found.page_seq, found.event_id)) as event_id
    , any_value(pages.path) as path
    , any_value(pages.pages) as pages
from found
join pages on pages.number = found.number
group by found.number
order by found.number
;
