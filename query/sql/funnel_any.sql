{# How many different steps each unit did inside the window of an attempt that any step begins (docs/rules.md 5): order `any`.

   Where each event matches one step, an attempt has each step that happens in its window, by its first event there.
   Units with an event that matches several steps are left to `query/funnel_any.py`: there events are shared out.

   stages    the steps: `number`
   readings  of which events attempts are shown: `suffix`, `only`, `is_exposed`
   ends      numbers of what ends an attempt

   $within   the window, in microseconds #}
create or replace temp table shared as
select distinct unit_id
from (
    select unit_id, position
    from counted
    where step <= {{ stages | length }}
    group by unit_id, position
    having count(*) > 1
) as events_of_several_steps
;

create or replace temp table begun as
{% for reading in readings %}
{% if not loop.first %}
union all
{% endif %}
select *
from (
    select
        unit_id, position, moment, is_complete, is_entry
        , {% if reading.is_exposed %}true{% else %}false{% endif %} as is_exposed_only
{% if ends %}
        -- The first event after this one that ends attempts.
        , min(case when step in ({{ ends }}) then position end) over after as next_end
{% endif %}
{% for stage in stages %}
        , min(case when step = {{ stage.number }} then position end) over onwards as position_{{ stage.number }}
        , min(case when step = {{ stage.number }} then moment end) over onwards as at_{{ stage.number }}
{% endfor %}
    from counted
    where unit_id not in (select unit_id from shared)
        and (step <= {{ stages | length }}{% if ends %} or step in ({{ ends }}){% endif %}){{ reading.only }}
    window
        onwards as (
            partition by unit_id order by position
            range between current row and unbounded following
        )
{% if ends %}
        , after as (
            partition by unit_id order by position
            range between 1 following and unbounded following
        )
{% endif %}
) as starts
where is_entry
{% endfor %}
;

create or replace temp table ranked as
with
reached as (
    select
        begun.*
{% for stage in stages %}
        , case
            when at_{{ stage.number }} - moment <= $within{% if ends %} and position_{{ stage.number }} <= coalesce(next_end, position_{{ stage.number }}){% endif %}
 then 1
            else 0
        end as has_{{ stage.number }}
{% endfor %}
    from begun
),
depths as (
    select
        *
        , {% for stage in stages %}{% if not loop.first %} + {% endif %}has_{{ stage.number }}{% endfor %} as depth
        , greatest({% for stage in stages %}{% if not loop.first %}, {% endif %}has_{{ stage.number }} * coalesce(position_{{ stage.number }}, 0){% endfor %}) as done
    from reached
)
select
    *
    , row_number() over (
        partition by unit_id, is_exposed_only
        order by depth desc, done, position desc
    ) as place
    , max(case when is_complete then depth end) over (partition by unit_id, is_exposed_only) as depth_complete
from depths
;

-- The events of the attempt that is shown, in their order.
create or replace temp table attempt_events as
with
chosen as (
    select * from ranked where place = 1
),
events as (
{% for stage in stages %}
{% if not loop.first %}
    union all
{% endif %}
    select
        unit_id, is_exposed_only, depth as reached, coalesce(depth_complete, 0) as reached_complete
        , {{ stage.number }} as step, position_{{ stage.number }} as position, at_{{ stage.number }} as moment
    from chosen
    where has_{{ stage.number }} = 1
{% endfor %}
)
select
    *
    , row_number() over (partition by unit_id, is_exposed_only order by position, step) as place
from events
;
