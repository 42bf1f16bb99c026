{# The events of a funnel that count, with nobody entering but at the first entry. #}
create or replace temp table counted as
select * replace (
    coalesce(is_entry and position = min(case when is_entry then position end) over (partition by unit_id), false) as is_entry
)
from counted
;
