{# Every event of every definition of a question, with its person and its place in that person's order.

   sources        one per number: `relation` of its events, and `match`, a compiled definition, on rows of that
   roles          (step, number of its definition): an event has one row for each step that it matches
   keep, further  columns of the event to keep; those of them that are not read anyway
   has_bounds     whether $from_time and $until_time bound the events
   has_ties       whether only those at the moments in the relation `tied` are asked for
   by_flag        whether the relation `exposed` says where a person's exposure lies
   has_positions  whether the order is needed
   unit           what is counted if it is not the person: "session", "device" or "group"; it comes as `unit_id`
   value          an expression over an event `e` that comes along as `value`, if one is wanted
   chosen         a condition on the person of an event `m`: whose events count at all
   parting        an expression over an event `m` that comes along as `value` instead
   numbers        expressions over an event `e` that come along as `type_1`, `number_1`, …
   turn           which devices are asked for, where they take turns (session_moments.py), and which of their events:
                  those of which time alone decides all, or those it leaves `unclear`
   is_added       whether the events are put to those that were found before

   $count_bots, $count_internal, $environments (null: all) say what is left out #}
{% if is_added %}
insert into matched
{% else %}
create or replace temp table matched as
{% endif %}
with
{% for source in sources %}
{% set match = source.match %}
{% set number = loop.index %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
matches_{{ number }} as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , {% include "left_out.sql" %} as left_out
{% for column in further %}
        , e.{{ column }}
{% endfor %}
{% if value %}
        , {{ value }} as value
{% endif %}
{% for kind, number in numbers %}
        , {{ kind }} as type_{{ loop.index }}
        , {{ number }} as number_{{ loop.index }}
{% endfor %}
{% if match.has_unknown %}
        , coalesce({{ match.surely }}, false) as is_sure
{% else %}
        , true as is_sure
{% endif %}
    from {{ source.relation }} as e
    where e.site = $site
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
{% if has_ties %}
        and epoch_us(e.time) in (select moment from tied)
{% endif %}
{% if turn and turn.is_some %}
        and (e.device_id between $lowest and $highest{% if turn.has_nobody %} or e.device_id is null{% endif %})
{% endif %}
{% if turn and turn.moments %}
        and e.time in ({% for moment in turn.moments %}{% if not loop.first %}, {% endif %}make_timestamptz({{ moment }}){% endfor %})
{% elif turn and turn.unclear %}
        and epoch_us(e.time) in (select moment from session_moments where unclear = {{ turn.unclear }})
{% endif %}
        and {{ match.possibly }}
),
{% endfor %}
matches as (
{% for step, number in roles %}
{% if not loop.first %}
    union all
{% endif %}
    select {{ step }} as step, matches_{{ number }}.* from matches_{{ number }}
{% endfor %}
),
{% include "units.sql" %},
narrow as (
    select
        m.step
        , m.person_id
{% if unit %}
        , m.unit_id
{% endif %}
        , m.is_sure
        , m.left_out
        , epoch_us(m.time) as moment
        -- A daily id counts as a unit inside one UTC day only.
{% if unit == "group" %}
        , false as is_daily
{% elif turn %}
        , coalesce(m.is_daily, false) as is_daily
{% else %}
        , {% if not unit %}not m.is_user and {% endif %}m.device_id in (select device_id from lake.devices where is_daily) as is_daily
{% endif %}
{% for column in keep %}
        , m.{{ column }}
{% endfor %}
{% if parting %}
        , {{ parting }} as value
{% elif value %}
        , m.value
{% endif %}
{% for _ in numbers %}
        , m.type_{{ loop.index }}
        , m.number_{{ loop.index }}
{% endfor %}
{% if by_flag %}
        -- Null for units that were never exposed. Only at the same moment does the rest of the order matter.
        , case
            when exposed.unit_id is null then null
            when m.time > exposed.time then true
            when m.event_id = exposed.view_event_id then true
            when m.time < exposed.time then false
            else (m.page_id, m.page_seq, m.event_id) >= (exposed.page_id, exposed.page_seq, exposed.event_id)
        end as is_after_exposure
{% endif %}
{% if turn %}
        , m.place
{% endif %}
{% if has_positions %}
        , m.page_id as order_page
        , m.page_seq as order_number
        , m.event_id as order_event
{% endif %}
    from matches_of_units as m
{% if by_flag %}
    left join exposed on exposed.unit_id = m.{% if unit %}unit_id{% else %}person_id{% endif %}

{% endif %}
{% if turn %}
    where (m.unclear = {{ turn.unclear }}{% if turn.has_nobody %} or m.device_id is null{% endif %})
{% endif %}
{% if chosen %}
    {% if turn %}and{% else %}where{% endif %} {{ chosen }}
{% endif %}
)
select
    step, person_id, is_sure, left_out, moment, is_daily
{% if unit %}
    , unit_id
{% endif %}
{% for column in keep %}
    , {{ column }}
{% endfor %}
{% if value or parting %}
    , value
{% endif %}
{% for _ in numbers %}
    , type_{{ loop.index }}
    , number_{{ loop.index }}
{% endfor %}
{% if by_flag %}
    , is_after_exposure
{% endif %}
{% if has_positions and turn and not turn.unclear %}
    , coalesce(place, 0) as position
{% elif has_positions and turn %}
    , place + dense_rank() over (partition by unit_id, moment order by order_page, order_number, order_event) - 1 as position
{% elif has_positions %}
    -- The place of the event in the order of its unit: what matches several steps has one place.
    , dense_rank() over (
        partition by {% if unit %}unit_id{% else %}person_id{% endif %}

        order by moment, order_page, order_number, order_event
    ) as position
{% endif %}
from narrow
;
