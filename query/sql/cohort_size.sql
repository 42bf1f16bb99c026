{# How many people are in the cohort that was chosen, of all who have an event that counts.

   chosen   the condition on the person of an event `m` #}
{% include "cohort_counted.sql" %}

select
    count(distinct m.person_id) filter (where {{ chosen }}) as people
    , count(distinct m.person_id) as everyone
from matches_of_people as m
;
