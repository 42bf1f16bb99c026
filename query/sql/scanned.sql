{# What the scans of a question find, as `rows`, with the columns that say which event or fact it is.

   scans       one for each pass over a relation: `relation`, `expressions`, and either `condition` with `possibly` and
               `surely`, the bits of the roles that an event may and surely has; or `places` with `of_event`
   of_facts    whether the rows are facts of summaries, and not events
   has_bounds  whether $from_time and $until_time bound the events
   has_unknown whether an event may be neither a match nor none
   bits_type   the type of the bits of roles #}
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
{% if of_facts %}
        e.file_number
        , e.first_moment
        , e.events
{% else %}
        e.device_id
        , epoch_us(e.time) as moment
{% endif %}
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
{% if has_bounds and not of_facts %}
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
)
