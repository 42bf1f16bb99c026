{# Take from what has no name what further definitions surely match, and mark what they might.

   matches                  the compiled definitions
   $from_time, $until_time  bound the events #}
create or replace temp table named as
with
{% for match in matches %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
{% endfor %}
asked as (
    select
        e.event_id
        , {% for match in matches %}coalesce({{ match.surely }}, false) or {% endfor %}false as is_sure
        , {% for match in matches %}coalesce({{ match.possibly }}, false) or {% endfor %}false as is_possible
    from lake.events as e
    where e.site = $site
        and e.element_id is not null
        and e.time >= $from_time
        and e.time < $until_time
        and e.event_id in (select event_id from unnamed)
)
select event_id, is_sure
from asked
where is_possible
;

delete from unnamed
where event_id in (select event_id from named where is_sure)
;

update unnamed set is_unknown = true
where event_id in (select event_id from named)
;
