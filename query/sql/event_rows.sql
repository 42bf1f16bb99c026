{# The events of a question, as narrow as they can be: for the passes over arrays of funnels and retention.

   No column here is needed for the order of events at one moment: those are read again, by `matched.sql`.

   scans       one for each pass over a relation: `relation`, `expressions`, and either `condition` with `possibly` and
               `surely`, the bits of the roles that an event may and surely has; or `places` with `of_event`
   has_bounds  whether $from_time and $until_time bound the events
   has_unknown whether an event may be neither a match nor none
   has_daily   whether any device has a daily id
   has_merges  whether users are joined with others
   bits_type   the type of the bits of roles

   Of `marks` two bits are the number of why the event is left out, 4 is a daily id, 8 a person that is not clear. #}
with
{% for scan in scans %}
{% for expression in scan.expressions %}
{{ expression }},
{% endfor %}
{% if scan.places %}
places_{{ loop.index }} as (
    select place_id, bit_or(possibly) as possibly, bit_or(surely) as surely
    from (
{% for relation, bits in scan.places %}
{% if not loop.first %}
        union all
{% endif %}
        select place_id, {{ bits }}::{{ bits_type }} as possibly, case when is_sure then {{ bits }} else 0 end::{{ bits_type }} as surely
        from {{ relation }}
{% endfor %}
    ) as roles
    group by place_id
),
{% endif %}
rows_{{ loop.index }} as (
    select
        e.device_id
        , epoch_us(e.time) as moment
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , {% include "left_out_number.sql" %} as left_out
        , {{ scan.possibly }} as possibly
{% if has_unknown %}
        , {{ scan.surely }} as surely
{% endif %}
    from {{ scan.relation }} as e
{% if scan.places %}
    join places_{{ loop.index }} as places on places.place_id = {{ scan.of_event }}
{% endif %}
    where e.site = $site
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and {{ scan.condition }}
),
{% endfor %}
rows as (
{% for scan in scans %}
{% if not loop.first %}
    union all
{% endif %}
    select * from rows_{{ loop.index }}
{% endfor %}
),
{% include "person_by_time.sql" %}

select
    m.person_id
    , m.moment
    , m.possibly
{% if has_unknown %}
    , m.surely
{% endif %}
    , (
        m.left_out
        | case when m.is_unclear then 8 else 0 end
{% if has_daily %}
        | case when not m.is_user and m.device_id in (select device_id from lake.devices where is_daily) then 4 else 0 end
{% endif %}
    )::utinyint as marks
from people as m
;
