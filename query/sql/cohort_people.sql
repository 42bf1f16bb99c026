{# The people in the cohort that was chosen: as many as cohort_size.sql counts.

   relation   the table of them that is made
   chosen     the condition on the person of an event `m` #}
create or replace table {{ relation }} as
{% include "cohort_counted.sql" %}

select distinct m.person_id
from matches_of_people as m
where m.person_id is not null
    and {{ chosen }}
;
