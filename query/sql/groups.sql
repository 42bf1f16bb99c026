{# Which group each entry belongs to, where that depends on more than the unit's first exposure: the relation `entered`
   holds the entries (`unit_id`, `position`, `is_exposed_only`).

   unit       the column of `matched` that is counted
   treated    whether variations are the latest that a unit had seen when it entered: the relation `treated`
   by_value   whether entries are grouped by a value: the relation `valued`
   trait      then: "then" or "latest" if that value is a trait's
   subject    whose traits those are: "user" or "group"
   groups     how many values are told apart; the rest are "other"

   $trait     the name of the trait #}
create or replace temp table entry_events as
select distinct
    entered.unit_id, entered.position
{% if treated or trait %}
    , matched.time, matched.page_id, matched.page_seq, matched.event_id
{% endif %}
{% if trait %}
    , {% if subject == "group" %}entered.unit_id{% else %}matched.person_id{% endif %} as subject_id
{% elif by_value %}
    , matched.value
{% endif %}
from entered
join matched
    -- Of a trend also the events of nobody.
    on matched.{{ unit }} is not distinct from entered.unit_id
    and matched.position = entered.position
;

{% if treated %}
create or replace temp table treated as
select entry_events.unit_id, entry_events.position, arg_max(exposures.variation, exposures.exposure) as variation
from entry_events
join exposures on exposures.unit_id = entry_events.unit_id
where (exposures.time, exposures.page_id, exposures.page_seq, exposures.event_id)
    <= (entry_events.time, entry_events.page_id, entry_events.page_seq, entry_events.event_id)
group by entry_events.unit_id, entry_events.position
;

{% endif %}
{% if by_value %}
create or replace temp table valued as
with
{% if trait %}
entry_values as (
    select
        entry_events.unit_id
        , entry_events.position
        , json_extract_string(arg_max(
            traits.value, row(traits.at, traits.page_id, traits.page_seq, traits.event_id)
        ), '$') as value
    from entry_events
    left join lake.traits_of_people as traits
        on traits.site = $site
        and traits.subject_kind = {% if subject == "group" %}'group'{% else %}'user'{% endif %}

        and traits.person_id = entry_events.subject_id
        and traits.name = $trait
{% if trait == "then" %}
        and (traits.at, traits.page_id, traits.page_seq, traits.event_id)
        <= (entry_events.time, entry_events.page_id, entry_events.page_seq, entry_events.event_id)
{% else %}
        and epoch_us(traits.at) <= $now_at
{% endif %}
    group by entry_events.unit_id, entry_events.position
),
{% else %}
entry_values as (
    select unit_id, position, min(value) as value
    from entry_events
    group by unit_id, position
),
{% endif %}
largest as (
    select value
    from entry_values
    where value is not null
    group by value
    order by count(*) desc, value
    limit {{ groups }}
)
select
    unit_id
    , position
    , case
        when value is null then 'no value'
        when value in (select value from largest) then 'value'
        else 'other'
    end as kind
    , case when value in (select value from largest) then value end as value
from entry_values
;

{% endif %}
