{# Devices of which a session that began before the range's end may go on after $until_at, up to which events were read. #}
create or replace temp table running as
select device_id
from stretches
group by device_id
having max(last_moment) >= $until_at - $gap
    and max(case when first_moment < $end_at then last_moment end) >= $end_at - $gap
;

select count(*) from running
;
