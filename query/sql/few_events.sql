{# The events of a few people that may decide what is listed, and those of others on their devices.

   columns    what is needed of an event
   owners     conditions on whose an event is, each of which leaves out those of the one before
   types      names of parameters, one for each type that is needed; none for all types
   has_flag   whether exposures to $flag are needed of any time

   $few_from, $few_until   what decides lies between them #}
create or replace temp table few_events as
{% for owner in owners %}
{% if not loop.first %}
union all
{% endif %}
select {{ columns }}
from lake.events
where site = $site
    and time between $few_from and $few_until
{% if types %}
    and type in ({{ types }})
{% endif %}
    and {{ owner }}
{% if has_flag %}
union all
select {{ columns }}
from lake.events
where site = $site
    and type = 'exposure'
    and flag = $flag
    and time not between $few_from and $few_until
    and {{ owner }}
{% endif %}
{% endfor %}
;
