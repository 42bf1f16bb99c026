{# The people behind a bar of a funnel, in the order of their entry, with the events of the attempt that is shown.

   steps    number of steps
   $kind, $value     which group; the kind `total` is everyone
   $step, $deepest   those who came at least to $step and at most to $deepest #}
with
chosen as (
    select results.*, count(*) over () as total
    from results
    where kind = $kind
        and ($kind <> 'variation' or $value is null or value = $value)
        and reached between $step and $deepest
    order by at_1, person_id
    limit $limit
),
names as (
    select user_id as person_id, min("user") as name
    from lake.users
    where user_id in (select person_id from chosen)
    group by user_id
)
select
    chosen.total
    , chosen.person_id
    , names.name
    , names.name is not null as is_user
    , chosen.kind
    , chosen.value
    , chosen.reached
{% for step in range(1, steps + 1) %}
    , event_{{ step }}.event_id as event_{{ step }}
    , chosen.at_{{ step }}
{% endfor %}
from chosen
left join names on names.person_id = chosen.person_id
{% for step in range(1, steps + 1) %}
left join matched as event_{{ step }}
    on event_{{ step }}.person_id = chosen.person_id
    and event_{{ step }}.position = chosen.position_{{ step }}
{% endfor %}
order by chosen.at_1, chosen.person_id
;
