{# The attempts that are shown, one row for each, from the rows of their events.

   stages    the steps: `number`
   removes   numbers of what removes a unit
   readings  of which events attempts are shown: `suffix`, `is_exposed` #}
create or replace temp table shown as
with
attempts as (
    select
        unit_id
        , is_exposed_only
        , max(reached) as reached
        , max(reached_complete) as reached_complete
{% for stage in stages %}
        , max(case when place = {{ stage.number }} then position end) as position_{{ stage.number }}
        , max(case when place = {{ stage.number }} then moment end) as at_{{ stage.number }}
        , max(case when place = {{ stage.number }} then step end) as step_{{ stage.number }}
{% endfor %}
    from attempt_events
    group by unit_id, is_exposed_only
)
select attempts.*
from attempts
{% if removes %}
join removed on removed.unit_id = attempts.unit_id
where not {% if readings | length > 1 %}case when attempts.is_exposed_only then removed.is_removed_exposed else removed.is_removed end{% else %}removed.is_removed{% endif %}

{% endif %}
;
