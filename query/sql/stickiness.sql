{# In how many distinct periods units did it, from `entered` and what its groups are.

   unit      the column of `matched` that is counted
   period    "day", "week" or "month"
   by_flag   whether units are grouped by the variation of an exposure
   several   then: what of those who saw several
   by_value  whether entries are grouped by a value
   relation  the relation of the entries #}
{% include "began.sql" %}

with
did as (
    select distinct
        {{ unit }} as unit_id
        , {% include "period.sql" %} as number
{% if by_flag %}
        , coalesce(is_after_exposure, false) as is_after_exposure
{% endif %}
    from matched
    where is_sure
        and left_out is null
        and not is_daily
),
counts as (
    select began.kind, began.value, began.unit_id, count(distinct did.number) as periods
    from began
    join did on did.unit_id = began.unit_id
{% if by_flag %}
    where did.is_after_exposure or not began.is_exposed_only
{% endif %}
    group by began.kind, began.value, began.unit_id
)
select kind, value, periods, count(*) as units
from counts
group by kind, value, periods
order by kind, value, periods
;
