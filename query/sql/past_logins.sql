{# The matches on devices of several users, and those at the very moment of a login, which are counted.

   A device of one user is that user's for good, whatever the order of its events. On the others the time decides. Only
   where an event and a login have the same time does the rest of the order matter. #}
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
