{# The latest ones.

   $most      how many #}
select received_at, reason, kind, event_id, content
from set_aside
order by received_at desc nulls last, event_id, reason
limit $most
;
