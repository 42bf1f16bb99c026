{# The first event that counts of sessions, as `firsts`, with its person: of those sessions for which one needs it.

   of_all        whether of all sessions, and not only of those for which the device does not say the person
   value         an expression over an event `e` by which sessions are told apart, if there is one
   match         a compiled definition that the first event has to meet, if there is one #}
create or replace temp table firsts as
with
{% if match %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
{% endif %}
candidates as (
{% if of_all %}
    select
        e.device_id, owned.began, e.event_id, e.time, e.page_id, e.page_seq
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
{% if value %}
        , {{ value }} as value
{% endif %}
{% if match %}
        , coalesce({{ match.surely }}, false) as is_asked
{% endif %}
        , row_number() over (partition by e.device_id, owned.began order by e.page_id, e.page_seq, e.event_id) as place
    from owned
    join lake.events as e
        on e.device_id = owned.device_id
        and epoch_us(e.time) = owned.first_counted
    where e.site = $site
        and e.time >= $from_time
        and e.time < $until_time
        and {% include "left_out_number.sql" %} = 0
{% else %}
    select
        device_id, began, event_id, time, page_id, page_seq, own_user_id
        , row_number() over (partition by device_id, began order by page_id, page_seq, event_id) as place
    from shared
    where is_first
        and left_out = 0
{% endif %}
),
matches as (
    select * from candidates where place = 1
),
{% include "persons.sql" %}
select
    device_id, began, person_id, is_user
{% if value %}
    , value
{% endif %}
{% if match %}
    , is_asked
{% endif %}
from matches_of_people
;
