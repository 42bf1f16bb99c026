{# How far each person came, step after step, inside the window of their first step (SEMANTICS 5).

   One pass in the order of each person: at every event the latest start is known from which the step before was
   reached earlier, and the step is reached if that start is not older than the window. A later start never does worse
   for what follows, so one start per event is enough, and each step costs one window function.
   The pass carries a start for each reading of the same events: all of them; with complete entries only, whose window
   is over; and, by flag, the same two for what counts after the person's exposure.

   steps     number of steps
   starts    the names of the starts that are carried
   by_flag   whether people are grouped by the variation of their first exposure

   $within                the window, in microseconds
   $start_at, $end_at     entries lie from here and before there; later steps may fall after it
   $now_at                windows that end before it are over #}
create or replace temp table attempts as
with
counted as (
    select
        person_id
        , step
        , position
        -- The first position that is not older than the window.
        , min(position) over (
            partition by person_id order by moment
            range between {{ within }} preceding and current row
        ) as oldest
        , moment + $within < $now_at as is_complete
        , step = 1
            and moment >= $start_at
            and moment < $end_at
            -- The window of a daily id may not reach past its UTC day.
            and not (is_daily and floor((moment + $within) / 86400000000) > floor(moment / 86400000000)) as is_entry
{% if by_flag %}
        , coalesce(is_after_exposure, false) as is_after_exposure
{% endif %}
    from matched
    where is_sure
        and left_out is null
        and person_id is not null
),
reached_1 as (
    select
        counted.*
        , case when is_entry then position end as start
        , case when is_entry and is_complete then position end as start_complete
{% if by_flag %}
        , case when is_entry and is_after_exposure then position end as start_exposed
        , case when is_entry and is_after_exposure and is_complete then position end as start_exposed_complete
{% endif %}
    from counted
)
{% for step in range(2, steps + 1) %}
, reached_{{ step }} as (
    select
        person_id, step, position, oldest
{% if by_flag %}
        , is_after_exposure
{% endif %}
{% for start in starts %}
        , case
            when step <> {{ step }} then {{ start }}
{% if loop.index > 2 %}
            when not is_after_exposure then null
{% endif %}
            else max(case when step = {{ step - 1 }} and {{ start }} >= oldest then {{ start }} end) over earlier
        end as {{ start }}
{% endfor %}
    from reached_{{ step - 1 }}
    window earlier as (
        partition by person_id order by position
        rows between unbounded preceding and 1 preceding
    )
)
{% endfor %}
-- Of the events that reach a step, the first one decides, and with it the latest start that reaches it.
, firsts as (
    select
        person_id
        , step
{% for start in starts %}
        , arg_min({{ start }}, position) filter (where {{ start }} >= oldest) as {{ start }}
{% endfor %}
    from reached_{{ steps }}
    group by person_id, step
)
select
    person_id
{% for start in starts %}
    , max(step) filter (where {{ start }} is not null) as reached_by_{{ start }}
    , arg_max({{ start }}, step) filter (where {{ start }} is not null) as {{ start }}
{% endfor %}
from firsts
group by person_id
having max(step) filter (where start is not null) >= 1
;

-- The attempt that is shown: from its start each next step is the earliest event that fits.
create or replace temp table shown as
with
starts as (
    select
        person_id
        , false as is_exposed_only
        , reached_by_start as reached
        , coalesce(reached_by_start_complete, 0) as reached_complete
        , start as position_1
    from attempts
{% if by_flag %}
    union all
    select
        person_id
        , true
        , reached_by_start_exposed
        , coalesce(reached_by_start_exposed_complete, 0)
        , start_exposed
    from attempts
    where reached_by_start_exposed is not null
{% endif %}
),
shown_1 as (
    select starts.*, matched.moment as at_1
    from starts
    join matched
        on matched.person_id = starts.person_id
        and matched.position = starts.position_1
)
{% for step in range(2, steps + 1) %}
, next_{{ step }} as (
    select
        shown_{{ step - 1 }}.person_id
        , shown_{{ step - 1 }}.is_exposed_only
        , min(matched.position) as position
        , min(matched.moment) as moment
    from shown_{{ step - 1 }}
    join matched on matched.person_id = shown_{{ step - 1 }}.person_id
    where matched.step = {{ step }}
        and shown_{{ step - 1 }}.reached >= {{ step }}
        and matched.is_sure
        and matched.left_out is null
        and matched.position > shown_{{ step - 1 }}.position_{{ step - 1 }}
{% if by_flag %}
        and (matched.is_after_exposure or not shown_{{ step - 1 }}.is_exposed_only)
{% endif %}
    group by shown_{{ step - 1 }}.person_id, shown_{{ step - 1 }}.is_exposed_only
)
, shown_{{ step }} as (
    select shown_{{ step - 1 }}.*, next_{{ step }}.position as position_{{ step }}, next_{{ step }}.moment as at_{{ step }}
    from shown_{{ step - 1 }}
    left join next_{{ step }}
        on next_{{ step }}.person_id = shown_{{ step - 1 }}.person_id
        and next_{{ step }}.is_exposed_only = shown_{{ step - 1 }}.is_exposed_only
)
{% endfor %}
select * from shown_{{ steps }}
;

-- One row per person in the total, and one in the person's group: every number below comes from these.
create or replace temp table results as
{% if by_flag %}
with
grouped as (
    select person_id, max(is_exposed_only) as is_exposed_only
    from shown
    group by person_id
)
{% endif %}
select 'total' as kind, cast(null as varchar) as value, cast(null as bigint) as variations, shown.*
from shown
where not shown.is_exposed_only
{% if by_flag %}
union all
select
    case
        when exposed.person_id is null then 'not exposed'
        when shown.is_exposed_only then 'variation'
        else 'before exposure'
    end as kind
    , case when shown.is_exposed_only then exposed.variation end as value
    , exposed.variations
    , shown.*
from shown
join grouped
    on grouped.person_id = shown.person_id
    and grouped.is_exposed_only = shown.is_exposed_only
left join exposed on exposed.person_id = shown.person_id
{% endif %}
;
