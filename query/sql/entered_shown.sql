{# The events of `matched` with which the attempts of `shown_entries` begin, as `entered`: of those of one unit and moment
   their place among them says which one it is. #}
create or replace temp table entry_places as
select
    unit_id, moment, position
    , row_number() over (partition by unit_id, moment order by position) - 1 as number
from (
    select distinct person_id as unit_id, moment, position
    from matched
    where is_sure
        and left_out is null
) as events
;
create or replace temp view entered as
select entry_places.unit_id, entry_places.position, false as is_exposed_only
from entry_places
join shown_entries
    on shown_entries.unit_id = entry_places.unit_id
    and shown_entries.moment = entry_places.moment
    and shown_entries.number = entry_places.number
;
