{# The facts of summaries that a question asks for, with the place of their moments: see `scanned.sql`. #}
with
{% set of_facts = true %}
{% include "scanned.sql" %}

select
    file_number
    , first_moment
    , events
    , own_user_id
    , left_out::utinyint as left_out
    , possibly
{% if has_unknown %}
    , surely
{% endif %}
from rows
;
