{# The entries of `entered`: each in the total, and in its group. #}
create or replace temp table began as
{% if by_flag %}
with
grouped as (
    select unit_id, max(is_exposed_only) as is_exposed_only
    from entered
    group by unit_id
)
{% endif %}
select
    'total' as kind, cast(null as varchar) as value, cast(null as bigint) as variations
    , entered.unit_id, entered.position, entered.moment, entered.cohort, entered.is_exposed_only
from entered
where not entered.is_exposed_only
{% if by_flag %}
union all
select
    {% include "exposure_kind.sql" %} as kind
    , {% include "exposure_value.sql" %} as value
    , exposed.variations
    , entered.unit_id, entered.position, entered.moment, entered.cohort, entered.is_exposed_only
from entered
join grouped
    on grouped.unit_id = entered.unit_id
    and grouped.is_exposed_only = entered.is_exposed_only
left join exposed on exposed.unit_id = entered.unit_id
{% if several == "as_treated" %}
left join treated
    on treated.unit_id = entered.unit_id
    and treated.position = entered.position
{% endif %}
{% endif %}
{% if by_value %}
union all
select
    valued.kind, valued.value, null
    , entered.unit_id, entered.position, entered.moment, entered.cohort, entered.is_exposed_only
from entered
join valued
    on valued.unit_id = entered.unit_id
    and valued.position = entered.position
where not entered.is_exposed_only
{% endif %}
;
