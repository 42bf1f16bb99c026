{# What a definition matched while it did: types, words and pages.

   $step  its number #}
select type, coalesce(label, '') as said, coalesce(path, '') as path, count(*) as events
from matched
where step = $step
    and is_sure
    and left_out is null
group by type, said, path
order by events desc, type, said, path
limit 200
;
