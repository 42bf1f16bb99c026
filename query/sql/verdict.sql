{# What an event is to a count, as a number: 1 if it counts, 2 to 4 if it is left out, by the reason; less than zero if
   it is unknown whether it matches.

   match  the compiled definition #}
(case {% include "left_out.sql" %}

            when 'bots' then 2
            when 'internal' then 3
            when 'environment' then 4
            else 1
        end{% if match.has_unknown %} * case when coalesce({{ match.surely }}, false) then 1 else -1 end{% endif %})::tinyint
