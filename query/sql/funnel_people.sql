{# The units behind a bar of a funnel, in the order of their entry, with the events of the attempt that is shown.

   unit     the column of `matched` that is counted
   named    what they are called: "person", "session", "device" or "group"
   stages   the steps: `number`, `is_optional`
   at       the step of the bar
   has_steps  whether `step_1`, `step_2`, … of an attempt say which step each of its events was

   is_one   whether only the unit $unit_id is asked for

   $kind, $value     which group; the kind `total` is everyone
   $step, $deepest   those who came at least to $step and at most to $deepest #}
with
chosen as (
    select results.*, count(*) over () as total
    from results
    where kind = $kind
        and (kind not in ('variation', 'value') or $value is null or value = $value)
{% if at.is_optional %}
        and at_{{ at.number }} is not null
{% else %}
        and reached between $step and $deepest
{% endif %}
{% if is_one %}
        and unit_id = $unit_id
{% endif %}
    order by at_1, unit_id
    limit $limit
),
{% include "unit_names.sql" %},
-- What matched several steps has one place, and is one event.
decided as (
    select {{ unit }} as unit_id, position, min(event_id) as event_id
    from matched
    where {{ unit }} in (select unit_id from chosen)
    group by {{ unit }}, position
)
select
    chosen.total
    , chosen.unit_id
    , names.name
    , names.name is not null as is_user
    , chosen.kind
    , chosen.value
    , chosen.reached
{% for stage in stages %}
    , event_{{ stage.number }}.event_id as event_{{ stage.number }}
    , chosen.at_{{ stage.number }}
{% if has_steps %}
    , chosen.step_{{ stage.number }}
{% else %}
    , {{ stage.number }} as step_{{ stage.number }}
{% endif %}
{% endfor %}
from chosen
left join names on names.unit_id = chosen.unit_id
{% for stage in stages %}
left join decided as event_{{ stage.number }}
    on event_{{ stage.number }}.unit_id = chosen.unit_id
    and event_{{ stage.number }}.position = chosen.position_{{ stage.number }}
{% endfor %}
order by chosen.at_1, chosen.unit_id
;
