{# Who was logged in on a device from which microsecond until which, and whose device it is where that never changed:
   worked out once for a connection, and again when there are new edges (lake/sql/persons.sql drops both). #}
create table if not exists lake.login_moments as
select logins.device_id, coalesce(joined.person_id, logins.user_id) as person_id, epoch_us(begins_at) as begins, epoch_us(ends_at) as ends
from lake.logins as logins
left join lake.joined_users as joined on joined.user_id = logins.user_id
;

create table if not exists lake.owners as
select device_id, case when count(*) = 1 then min(person_id) end as person_id
from lake.login_moments
group by device_id
;
