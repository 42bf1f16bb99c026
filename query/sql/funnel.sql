{# How far each unit came, step after step, inside the window of its first step (docs/rules.md 5): orders `ordered` and `strict`.

   One pass in the order of each unit: at every event the latest start is known from which the step before was reached
   earlier. A later start never does worse for what follows, and starts never go back from one event that reached a step
   to a later one that did. So the latest event that reached the step before decides: if it is too old or something lies
   between, every earlier one is and has it too. Each step costs one window over all rows, each event is looked at once.
   The pass carries a start for each reading of the same events: all of them; with complete entries only, whose window
   is over; and, by flag, the same two for what counts after the unit's exposure.

   stages    the steps: `number`, `before` (the number of the step that must be reached before), `within` (microseconds
             after that step at most, or 0), `is_optional`
   starts    the starts that are carried: `name`, `is_exposed`
   readings  of which events attempts are shown: `start`, `complete` (names of starts), `is_exposed`
   by_flag   whether units are grouped by the variation of an exposure
   blocks    numbers of what may not lie between two steps, in strict order
   ends      numbers of what ends an attempt
   removes   numbers of what removes a unit
   candidate the columns of an event that may belong to a shown attempt
   has_links whether a step must follow the one before within a window of its own, or with nothing between

   $within   the window, in microseconds #}
create or replace temp table attempts as
with
reached_1 as (
    select
        counted.*
{% for start in starts %}
        , case
            when is_entry{{ start.only }}{% if start.is_complete %} and is_complete{% endif %}
 then position
        end as {{ start.name }}
{% endfor %}
    from counted
)
{% for stage in stages %}
{% if not loop.first %}
, earlier_{{ stage.number }} as (
    select
        *
{% for start in starts %}
        , max(case when step = {{ stage.before }} then {{ start.name }} end) over earlier as found_{{ start.name }}
{% if stage.within %}
        , max(case when step = {{ stage.before }} and {{ start.name }} is not null then moment end) over earlier as since_{{ start.name }}
{% endif %}
{% if blocks %}
        , max(case when step = {{ stage.before }} and {{ start.name }} is not null then position end) over earlier as from_{{ start.name }}
{% endif %}
{% endfor %}
    from reached_{{ stage.number - 1 }}
    window earlier as (
        partition by unit_id order by position, step desc
        rows between unbounded preceding and 1 preceding
    )
)
, reached_{{ stage.number }} as (
    select
        unit_id, step, position, moment, oldest
{% if by_flag %}
        , is_after_exposure
{% endif %}
{% for reading in readings %}
{% if ends %}
        , last_end{{ reading.suffix }}
{% endif %}
{% if blocks %}
        , last_block{{ reading.suffix }}
{% endif %}
{% endfor %}
{% for start in starts %}
        , case
            when step <> {{ stage.number }} then {{ start.name }}
            when found_{{ start.name }} >= oldest
{% if start.is_exposed %}
                and is_after_exposure
{% endif %}
{% if ends %}
                and found_{{ start.name }} >= coalesce(last_end{{ start.suffix }}, 0)
{% endif %}
{% if stage.within %}
                and moment - since_{{ start.name }} <= {{ stage.within }}
{% endif %}
{% if blocks %}
                and from_{{ start.name }} >= coalesce(last_block{{ start.suffix }}, 0)
{% endif %}
                then found_{{ start.name }}
        end as {{ start.name }}
{% endfor %}
    from earlier_{{ stage.number }}
)
{% endif %}
{% endfor %}
-- Of the events that reach a step, the first one decides, and with it the latest start that reaches it.
, firsts as (
    select
        unit_id
        , step
{% for start in starts %}
        , arg_min({{ start.name }}, position) filter (where {{ start.name }} is not null) as {{ start.name }}
{% endfor %}
    from reached_{{ stages | length }}
    where step in ({% for stage in required %}{{ stage.number }}{% if not loop.last %}, {% endif %}{% endfor %})
    group by unit_id, step
)
select
    unit_id
{% for start in starts %}
    , max(step) filter (where firsts.{{ start.name }} is not null) as reached_by_{{ start.name }}
    , arg_max(firsts.{{ start.name }}, step) filter (where firsts.{{ start.name }} is not null) as {{ start.name }}
{% endfor %}
from firsts
group by unit_id
having max(step) filter (where firsts.start is not null) >= 1
;

-- The attempt that is shown: from its start each next step is the earliest event that fits.
create or replace temp table shown as
with
starts as (
{% for reading in readings %}
{% if not loop.first %}
    union all
{% endif %}
    select
        attempts.unit_id
        , {% if reading.is_exposed %}true{% else %}false{% endif %} as is_exposed_only
        , reached_by_{{ reading.start }} as reached
        , coalesce(reached_by_{{ reading.complete }}, 0) as reached_complete
        , {{ reading.start }} as position_1
{% if removes %}
        , removed.is_removed{{ reading.suffix }} as is_removed
{% endif %}
    from attempts
{% if removes %}
    join removed on removed.unit_id = attempts.unit_id
{% endif %}
    where reached_by_{{ reading.start }} is not null
{% endfor %}
),
-- The events that may belong to a shown attempt.
candidates as (
    select
        starts.unit_id, starts.is_exposed_only, starts.reached
        , counted.step, counted.position, counted.moment
{% if blocks %}
        , case when starts.is_exposed_only then counted.last_block{{ readings[-1].suffix }} else counted.last_block end as block
{% endif %}
{% if ends %}
        , coalesce(case when starts.is_exposed_only then counted.last_end{{ readings[-1].suffix }} else counted.last_end end, 0) as ended
{% endif %}
    from starts
    join counted on counted.unit_id = starts.unit_id
    where counted.step <= {{ stages | length }}
        and counted.position >= starts.position_1
{% if by_flag %}
        and (counted.is_after_exposure or not starts.is_exposed_only)
{% endif %}
),
{% if has_links %}
-- Those from which the attempt can go on to its last step, found from the last step back.
{% for stage in required | reverse %}
able_{{ stage.number }} as (
{% if loop.first %}
    select {{ candidate }}
    from candidates
    where step = {{ stage.number }}
{% else %}
{% set after = required[required | length - loop.index + 1] %}
    select {{ candidate }}
    from (
        select
            judging.*
            , first_value(case when is_able then moment end ignore nulls) over later as next_moment
{% if blocks %}
            , first_value(case when is_able then coalesce(block, 0) end ignore nulls) over later as next_block
{% endif %}
        from (
            select {{ candidate }}, false as is_able from candidates where step = {{ stage.number }}
            union all
            select {{ candidate }}, true from able_{{ after.number }}
        ) as judging
        window later as (
            partition by unit_id, is_exposed_only order by position
            range between 1 following and unbounded following
        )
    ) as judged
    where not is_able
        and (
            reached <= {{ stage.number }}
            or (
                next_moment is not null
{% if after.within %}
                and next_moment - moment <= {{ after.within }}
{% endif %}
{% if blocks %}
                and next_block <= position
{% endif %}
            )
        )
{% endif %}
),
{% endfor %}
{% endif %}
started as (
    select distinct
        starts.unit_id, starts.is_exposed_only, starts.reached, starts.reached_complete
        , starts.position_1, candidates.moment as at_1
{% if removes %}
        , starts.is_removed
{% endif %}
    from starts
    join candidates
        on candidates.unit_id = starts.unit_id
        and candidates.is_exposed_only = starts.is_exposed_only
        and candidates.position = starts.position_1
        and candidates.step = 1
)
, next_1 as (
    select unit_id, is_exposed_only, reached, position_1 as position, at_1 as moment
    from started
)
{% for stage in required[1:] %}
, next_{{ stage.number }} as (
    select
        previous.unit_id
        , previous.is_exposed_only
        , max(previous.reached) as reached
        , min(able.position) as position
        , min(able.moment) as moment
    from next_{{ stage.before }} as previous
    join {% if has_links %}able_{{ stage.number }}{% else %}candidates{% endif %} as able
        on able.unit_id = previous.unit_id
        and able.is_exposed_only = previous.is_exposed_only
    where able.step = {{ stage.number }}
        and previous.reached >= {{ stage.number }}
        and able.position > previous.position
    group by previous.unit_id, previous.is_exposed_only
)
{% endfor %}
-- Each step stands in `next_…` alone until here: where a row took those before it along, engines that copy what is read
-- twice would copy the first step a million times for the twentieth.
, required as (
    select
        started.unit_id, started.is_exposed_only, started.reached, started.reached_complete
        , started.position_1, started.at_1
{% if removes %}
        , started.is_removed
{% endif %}
{% for stage in required[1:] %}
        , next_{{ stage.number }}.position as position_{{ stage.number }}
        , next_{{ stage.number }}.moment as at_{{ stage.number }}
{% endfor %}
    from started
{% for stage in required[1:] %}
    left join next_{{ stage.number }}
        on next_{{ stage.number }}.unit_id = started.unit_id
        and next_{{ stage.number }}.is_exposed_only = started.is_exposed_only
{% endfor %}
)
{% for stage in stages if stage.is_optional %}
-- An optional step lies after the step before it and before the next one that is reached, or in the window of the start.
, between_{{ stage.number }} as (
    select
        required.unit_id
        , required.is_exposed_only
        , min(candidates.position) as position
        , min(candidates.moment) as moment
    from required
    join candidates
        on candidates.unit_id = required.unit_id
        and candidates.is_exposed_only = required.is_exposed_only
    where candidates.step = {{ stage.number }}
        and candidates.position > required.position_{{ stage.before }}
        and candidates.moment - required.at_1 <= $within
{% if ends %}
        and candidates.ended <= required.position_1
{% endif %}
{% if stage.within %}
        and candidates.moment - required.at_{{ stage.before }} <= {{ stage.within }}
{% endif %}
{% if stage.after %}
        and (
            required.position_{{ stage.after }} is null
            or candidates.position < required.position_{{ stage.after }}
        )
{% endif %}
    group by required.unit_id, required.is_exposed_only
)
, with_{{ stage.number }} as (
    select
        whole.*
        , between_{{ stage.number }}.position as position_{{ stage.number }}
        , between_{{ stage.number }}.moment as at_{{ stage.number }}
    from {% if loop.first %}required{% else %}with_{{ loop.previtem.number }}{% endif %} as whole
    left join between_{{ stage.number }}
        on between_{{ stage.number }}.unit_id = whole.unit_id
        and between_{{ stage.number }}.is_exposed_only = whole.is_exposed_only
)
{% endfor %}
{% set optional = stages | selectattr("is_optional") | list %}
select *
from {% if optional %}with_{{ optional[-1].number }}{% else %}required{% endif %}

{% if removes %}
where not is_removed
{% endif %}
;
