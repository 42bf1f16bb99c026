{# The units of a cohort, or of those who came back in a period, each with the event of entry and the latest return there.

   unit     the column of `matched` that is counted
   named    what they are called: "person", "session", "device" or "group"
   is_back  whether only those who came back in $period are asked for
   mode     "on": in that period; "on_or_after": in it or later

   $kind, $value   which group; the kind `total` is everyone
   $cohort         the number of the period of entry #}
with
entries as (
    select
        began.kind, began.value, began.unit_id, began.position, began.moment
        , {% if is_back %}came_back.returned_at{% else %}cast(null as bigint){% endif %} as returned_at
    from began
{% if is_back %}
    join came_back
        on came_back.kind = began.kind
        and came_back.value is not distinct from began.value
        and came_back.unit_id = began.unit_id
        and came_back.position = began.position
        and came_back.period {% if mode == "on_or_after" %}>={% else %}={% endif %} $period
{% endif %}
    where began.kind = $kind
        and (began.kind not in ('variation', 'value') or $value is null or began.value = $value)
        and began.cohort = $cohort
),
chosen as (
    select *, count(*) over () as total
    from entries
    order by moment, unit_id
    limit $limit
),
{% include "unit_names.sql" %}

, decided as (
    select {{ unit }} as unit_id, position, min(event_id) as event_id, min(moment) as moment
    from matched
    where {{ unit }} in (select unit_id from chosen)
    group by {{ unit }}, position
)
select
    chosen.total, chosen.unit_id, names.name, names.name is not null as is_user, chosen.kind, chosen.value
    , began.event_id as began_event, began.moment as began_at
    , back.event_id as back_event, back.moment as back_at
from chosen
left join names on names.unit_id = chosen.unit_id
left join decided as began on began.unit_id = chosen.unit_id and began.position = chosen.position
left join decided as back on back.unit_id = chosen.unit_id and back.position = chosen.returned_at
order by chosen.moment, chosen.unit_id
;
