{# Which sessions the events with the ids $event_ids are of: the device, what it is called, and when the session began.

   The relation `sessions` holds those of the devices in question. #}
select named.event_id, named.device_id, devices.device, sessions.began
from (
    select e.event_id, e.device_id, epoch_us(e.time) as moment
    from lake.events as e
    where e.site = $site
        and e.time >= $from_time
        and e.time < $until_time
        and list_contains($event_ids, e.event_id)
) as named
join sessions
    on sessions.device_id = named.device_id
    and named.moment >= sessions.began
    and named.moment <= sessions.ended
left join (
    select device_id, min(device) as device
    from lake.devices
    where device_id in (select device_id from listed_devices)
    group by device_id
) as devices on devices.device_id = named.device_id
;
