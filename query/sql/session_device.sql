{# The device of a name or a number, as `asked_devices`.

   $device  the name, or the number as text: a number that is one is meant, whatever else is called so #}
create or replace temp table asked_devices as
select device_id
from lake.devices
where site = $site and (device = $device or cast(device_id as varchar) = $device)
order by cast(device_id as varchar) = $device desc
limit 1
;
