{# The exposures to a flag that count, as narrow as they can be.

   relation  where they are

   $flag  the key of the flag #}
with
rows as (
    select
        e.device_id
        , epoch_us(e.time) as moment
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , coalesce(e.variation, '') as variation
    from {{ relation }} as e
    where e.site = $site
        and e.type = 'exposure'
        and e.flag = $flag
        and ({% include "left_out_number.sql" %}) = 0
),
{% include "person_by_time.sql" %}

select person_id, moment, variation, is_unclear
from people
where person_id is not null
;
