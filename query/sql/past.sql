{# The matches of one definition, without their order: ids of events and pages are wide, and nothing here needs them.

   source       the relation of its events
   match        the compiled definition, on rows of that
   has_bounds   whether $from_time and $until_time bound the events #}
create or replace temp table matched as
{% for expression in match.expressions() %}
{% if loop.first %}with
{% endif %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select
    e.time
    , e.device_id
    -- A server's event belongs to the user it names.
    , case when e.source = 'server' then e.user_id end as own_user_id
    , {% include "left_out.sql" %} as left_out
{% if match.has_unknown %}
    , coalesce({{ match.surely }}, false) as is_sure
{% else %}
    , true as is_sure
{% endif %}
    , e.element_id
    , e.placement_id
    , coalesce(e.label, e.text) as said
    , e.path
from {{ source }} as e
where e.site = $site
{% if has_bounds %}
    and e.time >= $from_time
    and e.time < $until_time
{% endif %}
    and {{ match.possibly }}
;
