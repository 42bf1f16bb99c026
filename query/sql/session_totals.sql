{# The figures of all sessions that are asked about, and of each group of them.

   percentiles   whole numbers
   is_split      whether there are groups
   groups        how many values are told apart; the rest are one group

   $gap   a session ends after this many microseconds without any event of the device #}
{% if is_split %}
with
largest as (
    select value
    from told
    where value is not null
    group by value
    order by count(*) desc, value
    limit {{ groups }}
),
grouped as (
    select
        told.*
        , case
            when told.value is null then 'no value'
            when largest.value is null then 'other'
            else 'value'
        end as kind
        , largest.value as shown
    from told
    left join largest on largest.value = told.value
)
{% endif %}
select
    'total' as kind
    , null as shown
    , {% include "session_figures.sql" %}

from told
{% if is_split %}
union all
select
    kind
    , shown
    , {% include "session_figures.sql" %}

from grouped
group by kind, shown
{% endif %}
;
