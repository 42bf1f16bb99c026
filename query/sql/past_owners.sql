{# Whose devices are, and when each was whose, of those that several users had. What rests on identity edges alone is
   worked out once for a connection (see lake/sql/persons.sql). #}
create table if not exists lake.people_of_devices as
select devices.device_id, coalesce(joined.person_id, devices.user_id) as person_id, devices.are_several
from lake.device_owners as devices
left join lake.joined_users as joined on joined.user_id = devices.user_id
;

create table if not exists lake.stretches as select * from lake.logins_of_several
;
