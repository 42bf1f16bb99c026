{# The events of sessions of which the device alone does not say whose they are, as `shared`. #}
create or replace temp table shared as
select
    e.device_id, owned.began, e.event_id, e.time, e.page_id, e.page_seq
    -- A server's event belongs to the user it names.
    , case when e.source = 'server' then e.user_id end as own_user_id
    , {% include "left_out_number.sql" %} as left_out
    , epoch_us(e.time) = owned.first_counted as is_first
from owned
join lake.events as e
    on e.device_id = owned.device_id
    and epoch_us(e.time) >= owned.began
    and epoch_us(e.time) <= owned.ended
where e.site = $site
    and e.time >= $from_time
    and e.time < $until_time
    and owned.is_unclear
;
