{# The sessions that began in range, as `owned`, with whose their devices are. It is unclear whose a session is by the device
   alone where several users had it, or where an event names its user itself. #}
create or replace temp table owned as
select
    sessions.*
    , coalesce(devices.are_several, false) or sessions.named > 0 as is_unclear
    , coalesce(joined.person_id, devices.user_id, sessions.device_id) as owner_id
    , devices.user_id is not null as has_owner
from sessions
left join lake.device_owners as devices on devices.device_id = sessions.device_id
left join lake.joined_users as joined on joined.user_id = devices.user_id
where sessions.began >= $start_at
;
