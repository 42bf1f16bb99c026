{# Whose devices they are on which something matched, and the matches at the very moment of a login, which are counted.

   A device of one user is that user's for good, whatever the order of its events. On the others the time decides. Only
   where an event and a login have the same time does the rest of the order matter.

   What rests on identity edges alone is worked out once for a connection (see lake/sql/persons.sql). #}
create table if not exists lake.people_of_devices as
select devices.device_id, coalesce(joined.person_id, devices.user_id) as person_id, devices.are_several
from lake.device_owners as devices
left join lake.joined_users as joined on joined.user_id = devices.user_id
;

create table if not exists lake.stretches as select * from lake.logins_of_several
;

create or replace temp table of_several as
select time, device_id, verdict
from moments
where own_user_id is null and device_id in (select device_id from lake.people_of_devices where are_several)
;

create or replace temp table at_login as
select distinct device_id, time
from of_several
where (device_id, time) in (select device_id, begins_at from lake.stretches)
;

select count(*) from at_login
;
