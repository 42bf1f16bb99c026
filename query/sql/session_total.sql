{# How many events the listed sessions have, also those that do not count. #}
select count(*)
from listed as s
{% include "session_joined.sql" %}
;
