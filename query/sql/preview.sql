{# The past of one definition: when it was first and last seen, by how many people, on which days, texts and pages.

   Facts come as rows (fact, key, events, people, first, last), because they are of different kinds.

   $time_zone        the report's days
   $first_day        days from here on are listed
   $texts            how many texts and pages are listed #}
create or replace temp table counted as
select *, cast(timezone($time_zone, timezone('UTC', make_timestamp(moment))) as date) as day
from matched
where is_sure
    and left_out is null
;

with
texts as (
    select coalesce(label, text) as value, count(*) as events, count(*) over () as distinct_values
    from counted
    where coalesce(label, text) is not null
    group by coalesce(label, text)
    order by events desc, value
    limit $texts
),
pages as (
    select path as value, count(*) as events, count(*) over () as distinct_values
    from counted
    where path is not null
    group by path
    order by events desc, value
    limit $texts
)
select 'all' as fact, null as value, count(*) as events, count(distinct person_id) as number, min(moment), max(moment)
from counted
union all
select 'day', cast(day as varchar), count(*), null, null, null
from counted
where day >= $first_day
group by day
union all
select 'text', value, events, distinct_values, null, null
from texts
union all
select 'page', value, events, distinct_values, null, null
from pages
;
