{# The exposures of units to a flag that count, each with its number in the order of its unit.

   unit       what is counted if it is not the person
   events     the relation of events, if it is not that of the lake

   $flag          the key of the flag
   $exposed_from  exposures before are none, in microseconds #}
create or replace temp table exposures as
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , {% include "left_out.sql" %} as left_out
        , coalesce(e.variation, '') as variation
    from {{ events | default(lake_events) }} as e
    where e.site = $site
        and e.type = 'exposure'
        and e.flag = $flag
        and epoch_us(e.time) >= $exposed_from
),
{% include "units.sql" %},
exposures_of_units as (
    select
        {% if unit %}unit_id{% else %}person_id as unit_id{% endif %}

        , variation, time, page_id, page_seq, event_id, left_out
    from matches_of_units
)
select
    unit_id, variation, time, page_id, page_seq, event_id
    , row_number() over (partition by unit_id order by time, page_id, page_seq, event_id) as exposure
from exposures_of_units
where left_out is null and unit_id is not null
;
