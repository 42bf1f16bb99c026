{# The events of a funnel that count, each with the edge of its window, and who is removed (docs/rules.md 5).

   unit      the column of `matched` that is counted
   entries   numbers of the steps with which an attempt may begin
   readings  of which events attempts are shown: `suffix`, `only`
   by_flag   whether units are grouped by the variation of an exposure
   blocks    numbers of what may not lie between two steps, in strict order
   ends      numbers of what ends an attempt
   removes   numbers of what removes a unit

   $within                the window, in microseconds
   $start_at, $end_at     entries lie from here and before there; later steps may fall after it
   $now_at                windows that end before it are over #}
create or replace temp table counted as
with
sure as (
    select
        {{ unit }} as unit_id
        , step
        , position
        , moment
        -- The first position that is not older than the window.
        , min(position) over (
            partition by {{ unit }} order by moment
            range between {{ within }} preceding and current row
        ) as oldest
        , moment + $within < $now_at as is_complete
        , step in ({{ entries }})
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
        and {{ unit }} is not null
)
{% if not (ends or blocks or removes) %}
select * from sure
{% else %}
select
    sure.*
{% for reading in readings %}
{% if ends %}
    -- The latest event before this one that ends attempts.
    , max(case when step in ({{ ends }}){{ reading.only }} then position end) over before as last_end{{ reading.suffix }}
{% endif %}
{% if blocks %}
    -- The latest event before this one that may not lie between two steps.
    , max(case when step in ({{ blocks }}){{ reading.only }} then position end) over before as last_block{{ reading.suffix }}
{% endif %}
{% if removes %}
    , step in ({{ removes }}){{ reading.only }}
        and max(case when is_entry{{ reading.only }} then position end) over before >= oldest as is_removed{{ reading.suffix }}
{% endif %}
{% endfor %}
from sure
window before as (
    partition by unit_id order by position
    range between unbounded preceding and 1 preceding
)
{% endif %}
;

{% if removes %}
create or replace temp table removed as
select
    unit_id
{% for reading in readings %}
    , coalesce(max(is_removed{{ reading.suffix }}), false) as is_removed{{ reading.suffix }}
{% endfor %}
from counted
group by unit_id
;

{% endif %}
