{# Whose the rows of `unclear` are, of devices that several users had: by time, and whether one lies at a login. #}
select unclear.place, logins.person_id, coalesce(unclear.moment = logins.begins, false) as is_at_login
from unclear
join lake.login_moments as logins
    on logins.device_id = unclear.device_id
    and (logins.begins is null or unclear.moment >= logins.begins)
    and (logins.ends is null or unclear.moment < logins.ends)
;
