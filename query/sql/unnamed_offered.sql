{# What the definitions that are offered would find, whether that has a name already or not.

   offered  (number, compiled definition)

   $from_time, $until_time  bound the events #}
with
{% for number, match in offered %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
{% endfor %}
matches as (
{% for number, match in offered %}
{% if not loop.first %}
    union all
{% endif %}
    select
        {{ number }} as number
        , e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        , case when e.source = 'server' then e.user_id end as own_user_id
        , coalesce(e.path, '') as path
        , {% include "left_out.sql" %} as left_out
    from lake.events as e
    where e.site = $site
        and e.time >= $from_time
        and e.time < $until_time
        and coalesce({{ match.surely }}, false)
{% endfor %}
),
{% include "persons.sql" %}
select
    number
    , count(*) as events
    , count(distinct person_id) as people
    , epoch_us(max(time)) as last_seen
    , arg_max(event_id, (time, page_id, page_seq, event_id)) as event_id
    , mode(path) as path
    , count(distinct path) as pages
from matches_of_people
where left_out is null
group by number
order by number
;
