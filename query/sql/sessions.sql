{# Sessions: a device's events without a longer gap. All its events count, whatever they are (docs/rules.md 1).

   is_measured   whether what counts in them is known: then only those that touch the range
   is_numbered   whether each has a number; it lasts as long as the relation

   $gap   a session ends after this many microseconds without any event of the device #}
create or replace temp table sessions as
with
neighbours as (
    select
        stretches.*
        , lag(last_moment) over (partition by device_id order by first_moment) as moment_before
        , lead(first_moment) over (partition by device_id order by first_moment) as moment_after
        -- A daily id is nobody on the next day.
        , case
            when device_id in (select device_id from lake.devices where is_daily)
                then floor(first_moment / 86400000000)
        end as only_day
    from stretches
),
parts as (
    select
        neighbours.*
        , case
            when moment_before is null then 1
            when first_moment - moment_before > $gap then 1
            when floor(moment_before / 86400000000) < only_day then 1
            else 0
        end as is_start
        , case
            when moment_after is null then 1
            when moment_after - last_moment > $gap then 1
            when floor(moment_after / 86400000000) > only_day then 1
            else 0
        end as is_end
    from neighbours
),
numbered as (
    select
        parts.*
        , sum(is_start) over (
            partition by device_id order by first_moment
            rows between unbounded preceding and current row
        ) as visit
    from parts
    where is_start + is_end < 2
),
visits as (
    -- Most are one stretch.
    select
        device_id
        , first_moment as began
        , last_moment as ended
{% if is_measured %}
        , events, page_views, first_counted, named, of_bots, internal, elsewhere
{% endif %}
    from parts
    where is_start + is_end = 2
    union all
    select
        device_id
        , min(first_moment)
        , max(last_moment)
{% if is_measured %}
        , cast(sum(events) as bigint)
        , cast(sum(page_views) as bigint)
        , min(first_counted)
        , cast(sum(named) as bigint)
        , cast(sum(of_bots) as bigint)
        , cast(sum(internal) as bigint)
        , cast(sum(elsewhere) as bigint)
{% endif %}
    from numbered
    group by device_id, visit
)
select
{% if is_numbered %}
    row_number() over (order by device_id, began) as session_id,
{% endif %}
    visits.*
from visits
{% if is_measured %}
where ended >= $start_at
    and began < $end_at
{% endif %}
;
