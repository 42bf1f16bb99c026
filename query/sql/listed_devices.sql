{# The devices of the events with the ids $event_ids. #}
create or replace temp table listed_devices as
select distinct e.device_id
from lake.events as e
where e.site = $site
    and e.time >= $from_time
    and e.time < $until_time
    and list_contains($event_ids, e.event_id)
;
