{# The variations of flags that were seen in the listed sessions, in the order in which they were. #}
select listed.device_id, listed.began, e.flag, coalesce(e.variation, '') as variation
from listed
join lake.events as e
    on e.device_id = listed.device_id
    and epoch_us(e.time) >= listed.began
    and epoch_us(e.time) <= listed.ended
where e.site = $site
    and e.type = 'exposure'
    and e.flag is not null
    and e.time >= $from_time
    and e.time < $until_time
    and {% include "left_out_number.sql" %} = 0
group by listed.device_id, listed.began, e.flag, coalesce(e.variation, '')
order by listed.device_id, listed.began, min(e.time), e.flag, variation
;
