{# The latest events that change sides, so many of each side.

   $samples how many #}
create or replace temp table changed as
select *
from (
    select *, row_number() over (partition by side order by moment desc, event_id) as place
    from compared
    where side <> 'both'
) as placed
where place <= $samples
;

select side, event_id, moment, type, said, path, placement_id
from changed
order by side, place
;
