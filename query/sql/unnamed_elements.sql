{# The elements on which it happened and the words on them, those of the most people first.

   $most  how many #}
select element_id, type, said, min(path) as path, min(placement_id) as placement_id
from unnamed
where left_out is null
group by element_id, type, said
order by count(distinct person_id) desc, count(*) desc, element_id, type, said
limit $most
;
