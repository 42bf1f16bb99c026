{# The texts and pages of the matches of a definition.

   Facts come as rows (fact, value, events, distinct values), because they are of two kinds.

   $listed  how many texts and pages are listed #}
with
texts as (
    select said as value, sum(events)::bigint as events, count(*) over () as distinct_values
    from found
    where verdict = 1 and said is not null
    group by said
    order by events desc, value
    limit $listed
),
pages as (
    select path as value, sum(events)::bigint as events, count(*) over () as distinct_values
    from found
    where verdict = 1 and path is not null
    group by path
    order by events desc, value
    limit $listed
)
select 'text' as fact, value, events, distinct_values
from texts
union all
select 'page', value, events, distinct_values
from pages
;
