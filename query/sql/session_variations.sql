{# The variations of flags that were seen in the listed sessions, in the order in which they were. #}
select s.device_id, s.began, e.flag, coalesce(e.variation, '') as variation
from listed as s
{% include "session_joined.sql" %}
where e.type = 'exposure'
    and e.flag is not null
    and {% include "left_out_number.sql" %} = 0
group by s.device_id, s.began, e.flag, coalesce(e.variation, '')
order by s.device_id, s.began, min(e.time), e.flag, variation
;
