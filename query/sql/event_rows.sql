{# The events of a question, as narrow as they can be: for the passes over arrays of funnels and retention.

   No column here is needed for the order of events at one moment: those are read again, by `matched.sql`.
   See `scanned.sql` and `person_by_time.sql` for what else decides.

   has_daily   whether any device has a daily id

   Of `marks` two bits are the number of why the event is left out, 4 is a daily id, 8 a person that is not clear. #}
with
{% set of_facts = false %}
{% include "scanned.sql" %},
{% include "person_by_time.sql" %}

select
    m.person_id
    , m.moment
    , m.possibly
{% if has_unknown %}
    , m.surely
{% endif %}
    , (
        m.left_out
        | case when m.is_unclear then 8 else 0 end
{% if has_daily %}
        | case when not m.is_user and m.device_id in (select device_id from lake.devices where is_daily) then 4 else 0 end
{% endif %}
    )::utinyint as marks
from people as m
;
