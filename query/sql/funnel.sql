{# How far each person came, step after step, inside the window of their first step (SEMANTICS 5).

   One pass in the order of each person: at every event the latest start is known from which the step before was
   reached earlier, and the step is reached if that start is no longer ago than the window. A later start never does
   worse for what follows, so one start per event is enough, and each step costs one window function.

   steps    number of steps
   by_flag  whether people are grouped by the variation of their first exposure

   $within                the window, in microseconds
   $start_at, $end_at     entries lie from here and before there; later steps may fall after it
   $now_at                entries whose window is over by then are complete #}
create or replace temp table entries as
select
    person_id
    , position
    , moment
    , moment + $within < $now_at as is_complete
{% if by_flag %}
    , coalesce(is_after_exposure, false) as is_after_exposure
{% endif %}
from matched
where step = 1
    and is_sure
    and left_out is null
    and person_id is not null
    and moment >= $start_at
    and moment < $end_at
    -- The window of a daily id may not reach past its UTC day.
    and not (is_daily and floor((moment + $within) / 86400000000) > floor(moment / 86400000000))
;

create or replace temp table attempts as
with
-- Which readings of a person's events are needed beside the whole one.
people as (
    select
        person_id
        , max(not is_complete) as has_incomplete
{% if by_flag %}
        , max(is_after_exposure) as has_entry_after_exposure
{% endif %}
    from entries
    group by person_id
),
readings as (
    select false as is_exposed_only, false as is_complete_only
    union all
    select false, true
{% if by_flag %}
    union all
    select true, false
    union all
    select true, true
{% endif %}
),
readings_of_people as (
    select people.person_id, readings.is_exposed_only, readings.is_complete_only
    from people
    cross join readings
    where (people.has_incomplete or not readings.is_complete_only)
{% if by_flag %}
        and (people.has_entry_after_exposure or not readings.is_exposed_only)
{% endif %}
),
reached_1 as (
    select
        readings_of_people.person_id
        , readings_of_people.is_exposed_only
        , readings_of_people.is_complete_only
        , matched.step
        , matched.position
        , matched.moment
        , case when matched.step = 1 then matched.position end as start_position
        , case when matched.step = 1 then matched.moment end as start_at
    from matched
    join readings_of_people on readings_of_people.person_id = matched.person_id
    left join entries
        on entries.person_id = matched.person_id
        and entries.position = matched.position
    where matched.is_sure
        and matched.left_out is null
        and (matched.step > 1 or entries.position is not null)
        and (matched.step > 1 or entries.is_complete or not readings_of_people.is_complete_only)
{% if by_flag %}
        and (matched.is_after_exposure or not readings_of_people.is_exposed_only)
{% endif %}
)
{% for step in range(2, steps + 1) %}
, reached_{{ step }} as (
    select
        person_id, is_exposed_only, is_complete_only, step, position, moment
        , case
            when step = {{ step }}
            then max(case when step = {{ step - 1 }} and moment - start_at <= $within then start_position end) over earlier
            else start_position
        end as start_position
        , case
            when step = {{ step }}
            then max(case when step = {{ step - 1 }} and moment - start_at <= $within then start_at end) over earlier
            else start_at
        end as start_at
    from reached_{{ step - 1 }}
    window earlier as (
        partition by person_id, is_exposed_only, is_complete_only
        order by position
        rows between unbounded preceding and 1 preceding
    )
)
{% endfor %}
-- Of the events that reach a step, the first one decides, and with it the latest start that reaches it.
, firsts as (
    select
        person_id, is_exposed_only, is_complete_only, step
        , arg_min(start_position, position) as start_position
        , arg_min(start_at, position) as start_at
    from reached_{{ steps }}
    where moment - start_at <= $within
    group by person_id, is_exposed_only, is_complete_only, step
)
select
    person_id, is_exposed_only, is_complete_only
    , max(step) as reached
    , arg_max(start_position, step) as position_1
    , arg_max(start_at, step) as at_1
from firsts
group by person_id, is_exposed_only, is_complete_only
;

-- The attempt that is shown: from its start each next step is the earliest event that fits.
create or replace temp table shown as
with
shown_1 as (
    select person_id, is_exposed_only, reached, position_1, at_1
    from attempts
    where not is_complete_only
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
with
complete as (
    select person_id, is_exposed_only, reached
    from attempts
    where is_complete_only
),
waiting as (
    select person_id, max(not is_complete) as has_incomplete
    from entries
    group by person_id
),
{% if by_flag %}
exposures as (
    select distinct person_id, variation, variations from exposed
),
grouped as (
    select person_id, max(is_exposed_only) as is_exposed_only
    from shown
    group by person_id
),
{% endif %}
counted as (
    select
        shown.*
        , case when waiting.has_incomplete then coalesce(complete.reached, 0) else shown.reached end as reached_complete
    from shown
    join waiting on waiting.person_id = shown.person_id
    left join complete
        on complete.person_id = shown.person_id
        and complete.is_exposed_only = shown.is_exposed_only
)
select 'total' as kind, cast(null as varchar) as value, cast(null as bigint) as variations, counted.*
from counted
where not counted.is_exposed_only
{% if by_flag %}
union all
select
    case
        when exposures.person_id is null then 'not exposed'
        when counted.is_exposed_only then 'variation'
        else 'before exposure'
    end as kind
    , case when counted.is_exposed_only then exposures.variation end as value
    , exposures.variations
    , counted.*
from counted
join grouped
    on grouped.person_id = counted.person_id
    and grouped.is_exposed_only = counted.is_exposed_only
left join exposures on exposures.person_id = counted.person_id
{% endif %}
;
