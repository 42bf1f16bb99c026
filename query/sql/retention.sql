{# Who began when, and who came back in which period after that (SEMANTICS 6).

   period         "day" or "week": a period has the number of local days or weeks since a Monday in 1970
   is_first_ever  whether the first start in kept data counts, and not the first in range
   by_flag        whether people are grouped by the variation of their first exposure

   $time_zone, $week_start       the report's days, and its first day of the week counted from Monday as 0
   $start_at, $end_at, $now_at   starts lie from here and before there; returns count until now
   $periods                      the last period that is asked for #}
create or replace temp table began as
with
starts as (
    select
        person_id, position, moment
{% if by_flag %}
        , coalesce(is_after_exposure, false) as is_after_exposure
{% endif %}
    from matched
    where step = 1
        and is_sure
        and left_out is null
        and person_id is not null
        -- A daily id is nobody on the next day.
        and not is_daily
{% if not is_first_ever %}
        and moment >= $start_at
        and moment < $end_at
{% endif %}
        and moment <= $now_at
),
firsts as (
    select
        person_id
        , min(position) as position
        , min(moment) as moment
{% if by_flag %}
        , min(position) filter (where is_after_exposure) as position_after
        , min(moment) filter (where is_after_exposure) as moment_after
{% endif %}
    from starts
    group by person_id
),
{% if by_flag %}
exposures as (
    select distinct person_id, variation, variations from exposed
),
{% endif %}
entries as (
    select
        'total' as kind, cast(null as varchar) as value, cast(null as bigint) as variations
        , person_id, position, moment, false as is_exposed_only
    from firsts
{% if by_flag %}
    union all
    select
        case
            when exposures.person_id is null then 'not exposed'
{% if is_first_ever %}
            when firsts.position_after = firsts.position then 'variation'
{% else %}
            when firsts.position_after is not null then 'variation'
{% endif %}
            else 'before exposure'
        end as kind
        , exposures.variation
        , exposures.variations
        , firsts.person_id
{% if is_first_ever %}
        , firsts.position
        , firsts.moment
        , firsts.position_after = firsts.position
{% else %}
        , coalesce(firsts.position_after, firsts.position)
        , coalesce(firsts.moment_after, firsts.moment)
        , firsts.position_after is not null
{% endif %}
    from firsts
    left join exposures on exposures.person_id = firsts.person_id
{% endif %}
)
select
    kind
    , case when kind = 'variation' then value end as value
    , variations
    , person_id
    , position
    , coalesce(is_exposed_only, false) as is_exposed_only
    , {% include "period.sql" %} as cohort
from entries
where moment >= $start_at
    and moment < $end_at
;

create or replace temp table returned as
with
returns as (
    select
        began.kind, began.value, began.person_id, began.cohort
        , {% include "period.sql" %} - began.cohort as period
    from matched
    join began on began.person_id = matched.person_id
    where matched.step = 2
        and matched.is_sure
        and matched.left_out is null
        and matched.position > began.position
        and matched.moment <= $now_at
{% if by_flag %}
        and (matched.is_after_exposure or not began.is_exposed_only)
{% endif %}
)
select kind, value, cohort, period, count(distinct person_id) as people
from returns
where period between 0 and $periods
group by kind, value, cohort, period
;

select 'size' as fact, kind, value, cohort, null as period, count(*) as people, count(*) filter (where variations > 1)
from began
group by kind, value, cohort
union all
select 'returned', kind, value, cohort, period, people, null
from returned
order by kind, value, cohort, period
;
