{# The events of sessions of which the device alone does not say whose they are, as `shared`. #}
create or replace temp table shared as
select
    e.device_id, s.began, e.event_id, e.time, e.page_id, e.page_seq
    -- A server's event belongs to the user it names.
    , case when e.source = 'server' then e.user_id end as own_user_id
    , {% include "left_out_number.sql" %} as left_out
    , epoch_us(e.time) = s.first_counted as is_first
from owned as s
{% include "session_joined.sql" %}
where s.is_unclear
;
