{# What happened on elements of the tag that is meant, and inside them; and which candidate gathers what of it.

   whole       the compiled selector of the tag, which gathers all that any candidate does
   candidates  one compiled selector each, with the numbers of those that are it
   said        the compiled text that some candidates ask for beside their selector, or none
   by_subject  whether the words of an event are those of something inside what is meant, and so do not name it

   $type       the type of the event
   $since      events from here on #}
create or replace temp table happened as
with
{% for expression in whole.expressions %}
{{ expression }},
{% endfor %}
{% if said %}
{% for expression in said.expressions() %}
{{ expression }},
{% endfor %}
{% endif %}
subjects as (
    select {{ whole.id }} as place_id, min(subject_id) as subject_id
    from (
        {{ whole.subjects }}
    ) as found
    group by {{ whole.id }}
),
events as (
    select
        e.element_id
        , e.placement_id
        , cast(timezone($time_zone, e.time) as date) as day
        , coalesce(e.release, '') as release
        , coalesce(e.host, '') || coalesce(e.path, '') as page
{% if by_subject %}
        , cast(subjects.subject_id as varchar) as thing
{% else %}
        -- What people would call one thing: elements are as many as states they were in.
        , coalesce(e.label, e.text, cast(subjects.subject_id as varchar)) as thing
{% endif %}
        , {% if said %}coalesce({{ said.surely }}, false){% else %}false{% endif %} as is_said
        , {% include "left_out.sql" %} as left_out
    from lake.events as e
    join subjects on subjects.place_id = {{ whole.of_event }}
    where e.site = $site
        and e.type = $type
        and e.time >= $since
)
select
    row_number() over () as sighting
    , element_id
    , placement_id
    , day
    , release
    , page
    , thing
    , is_said
    , count(*) as events
from events
where left_out is null
group by element_id, placement_id, day, release, page, thing, is_said
;

create or replace temp table gathered as
with
{% for candidate in candidates %}
{% for expression in candidate.expressions %}
{{ expression }},
{% endfor %}
{% endfor %}
found as (
{% for candidate in candidates %}
{% if not loop.first %}
    union all
{% endif %}
    select {{ candidate.number }} as selector, e.sighting from happened as e where {{ candidate.holds }}
{% endfor %}
)
select selector, sighting
from found
;
