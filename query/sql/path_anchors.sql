{# The first such event of each session, or the last one, and whose it is: see paths.sql. #}
create or replace temp table anchors as
select
    unit_id
    , {% if is_after %}min{% else %}max{% endif %}(position) as position
    , {% if is_after %}arg_min{% else %}arg_max{% endif %}(person_id, position) as person_id
from matched
where step = 1
    and is_sure
    and left_out is null
    and unit_id is not null
    and moment >= $start_at
    and moment < $end_at
    and moment <= $now_at
group by unit_id
;
