{# The events `e` of sessions `s`: from the first one to the last one of their device. #}
join lake.events as e
    on e.site = $site
    and e.time >= $from_time
    and e.time < $until_time
    and e.device_id = s.device_id
    and epoch_us(e.time) >= s.began
    and epoch_us(e.time) <= s.ended
