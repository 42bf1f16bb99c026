{# The facts of exposures to a flag that count, with the place of their moments.

   relation  where they are

   $flag  the key of the flag #}
select
    e.file_number
    , e.first_moment
    , e.events
    , case when e.source = 'server' then e.user_id end as own_user_id
    , coalesce(e.variation, '') as variation
from {{ relation }} as e
where e.site = $site
    and e.type = 'exposure'
    and e.flag = $flag
    and ({% include "left_out_number.sql" %}) = 0
;
