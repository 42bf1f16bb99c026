{# What happened on elements and has no name: none of these definitions in force surely matches it.

   matches                  the compiled definitions
   $from_time, $until_time  bound the events

   is_unknown says that a definition might match: what would decide was cut, masked or not kept. #}
create or replace temp table unnamed as
with
{% for match in matches %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
{% endfor %}
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        , case when e.source = 'server' then e.user_id end as own_user_id
        , e.element_id
        , coalesce(e.placement_id, e.element_id) as placement_id
        , e.type
        , coalesce(e.label, e.text, '') as said
        , coalesce(e.path, '') as path
        , {% include "left_out.sql" %} as left_out
        , {% for match in matches %}coalesce({{ match.possibly }}, false) or {% endfor %}false as is_unknown
    from lake.events as e
    where e.site = $site
        and e.element_id is not null
        and e.time >= $from_time
        and e.time < $until_time
{% for match in matches %}
        and not coalesce({{ match.surely }}, false)
{% endfor %}
),
{% include "persons.sql" %}
select * from matches_of_people
;
