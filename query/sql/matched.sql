{# Every event of every definition of a question, with its person and its place in that person's order.

   matches        one compiled definition per number, each with `expressions`, `surely`, `possibly`
   roles          (step, number of its definition): an event has one row for each step that it matches
   keep, further  columns of the event to keep; those of them that are not read anyway
   has_bounds     whether $from_time and $until_time bound the events
   by_flag        whether the relation `exposed` says where a person's exposure lies
   has_positions  whether the order is needed

   $count_bots, $count_internal, $environment (null: all) say what is left out #}
create or replace temp table matched as
with
{% for match in matches %}
{% set number = loop.index %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
matches_{{ number }} as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id, e.user_id, e.source
        , e.is_bot, e.is_internal, e.environment
{% for column in further %}
        , e.{{ column }}
{% endfor %}
{% if match.has_unknown %}
        , coalesce({{ match.surely }}, false) as is_sure
{% else %}
        , true as is_sure
{% endif %}
    from lake.events as e
    where e.site = $site
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and {{ match.possibly }}
),
{% endfor %}
matches as (
{% for step, number in roles %}
{% if not loop.first %}
    union all
{% endif %}
    select {{ step }} as step, matches_{{ number }}.* from matches_{{ number }}
{% endfor %}
),
{% include "persons.sql" %}
select
    matches_of_people.step
    , matches_of_people.person_id
    , matches_of_people.is_sure
    , matches_of_people.left_out
    , epoch_us(matches_of_people.time) as moment
    -- A daily id counts as a unit inside one UTC day only.
    , not matches_of_people.is_user and matches_of_people.device_id in (
        select device_id from lake.devices where is_daily
    ) as is_daily
{% for column in keep %}
    , matches_of_people.{{ column }}
{% endfor %}
{% if by_flag %}
    -- Null for people who were never exposed.
    , case
        when exposed.person_id is not null
        then (matches_of_people.time, matches_of_people.page_id, matches_of_people.page_seq, matches_of_people.event_id)
            >= (exposed.time, exposed.page_id, exposed.page_seq, exposed.event_id)
            or matches_of_people.event_id = coalesce(exposed.view_event_id, '')
    end as is_after_exposure
{% endif %}
{% if has_positions %}
    -- An event that matches several steps comes as the later step first, so that it never follows itself.
    , row_number() over (
        partition by matches_of_people.person_id
        order by
            matches_of_people.time, matches_of_people.page_id, matches_of_people.page_seq
            , matches_of_people.event_id, matches_of_people.step desc
    ) as position
{% endif %}
from matches_of_people
{% if by_flag %}
left join exposed on exposed.person_id = matches_of_people.person_id
{% endif %}
;
