{# Who began when: the entries of a retention (docs/rules.md 6).

   unit       the column of `matched` that is counted
   period     "day", "week" or "month" of the cohorts
   entry      "first_in_range", "first_ever" (in kept data) or "recurring" (once per period)
   has_positions  whether events have a place in the order of their unit; else their moment stands for it
   by_flag    whether units are grouped by the variation of an exposure

   $time_zone, $week_start       the report's days, and its first day of the week counted from Monday as 0
   $start_at, $end_at, $now_at   starts lie from here and before there, and not after now #}
create or replace temp table starts as
select
    {{ unit }} as unit_id
    , {% if has_positions %}position{% else %}moment as position{% endif %}

    , moment
    , {% include "period.sql" %} as cohort
{% if by_flag %}
    , coalesce(is_after_exposure, false) as is_after_exposure
{% endif %}
from matched
where step = 1
    and is_sure
    and left_out is null
    and {{ unit }} is not null
    -- A daily id is nobody on the next day.
    and not is_daily
{% if entry != "first_ever" %}
    and moment >= $start_at
    and moment < $end_at
{% endif %}
    and moment <= $now_at
;

-- The entries: of everybody, and by flag of those after an exposure once more.
create or replace temp table entered as
with
{% if entry == "first_ever" %}
firsts as (
    select
        unit_id
        , min(position) as position
        , min(moment) as moment
        , arg_min(cohort, position) as cohort
{% if by_flag %}
        , arg_min(is_after_exposure, position) as is_after_exposure
{% endif %}
    from starts
    group by unit_id
),
entries as (
    select *
    from firsts
    where moment >= $start_at
        and moment < $end_at
)
{% else %}
entries as (
    select * from starts
)
{% endif %}
select
    unit_id, false as is_exposed_only, min(position) as position, min(moment) as moment
    , arg_min(cohort, position) as cohort
from entries
group by unit_id{% if entry == "recurring" %}, cohort{% endif %}

{% if by_flag %}
union all
select unit_id, true, min(position), min(moment), arg_min(cohort, position)
from entries
where is_after_exposure
group by unit_id{% if entry == "recurring" %}, cohort{% endif %}

{% endif %}
;
