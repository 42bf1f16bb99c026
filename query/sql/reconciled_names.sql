{# What the units of the relation `chosen` are called: see unit_names.sql. #}
with
{% include "unit_names.sql" %}

select unit_id, name
from names
;
