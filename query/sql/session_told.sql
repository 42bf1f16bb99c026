{# The sessions that are asked about, as `told`, with their person.

   has_firsts  whether there is the relation `firsts`; without it the device says whose each session is
   has_value   whether it says by what they are told apart
   parting     an expression over a session `m` that says so instead
   has_match   whether it says which of them are asked about
   chosen      a condition on the person of a session `m`: whose sessions count at all
   of_person   whether only those of `theirs` do
   did         the steps of `matched` that have to be done in a session #}
create or replace temp table told as
with
of_people as (
    select
        owned.*
{% if has_firsts %}
        , case when owned.is_unclear then firsts.person_id else owned.owner_id end as person_id
        , case when owned.is_unclear then firsts.is_user else owned.has_owner end as is_user
{% else %}
        , owned.owner_id as person_id
        , owned.has_owner as is_user
{% endif %}
{% if has_value %}
        , firsts.value
{% endif %}
    from owned
{% if has_firsts %}
    left join firsts
        on firsts.device_id = owned.device_id
        and firsts.began = owned.began
{% endif %}
    where owned.events > 0
{% if has_match %}
        and firsts.is_asked
{% endif %}
)
select
    m.device_id, m.began, m.ended, m.events, m.page_views, m.person_id, m.is_user
{% if parting %}
    , {{ parting }} as value
{% elif has_value %}
    , m.value
{% endif %}
from of_people as m
where true
{% if chosen %}
    and {{ chosen }}
{% endif %}
{% if of_person %}
    and (m.device_id, m.began) in (select device_id, began from theirs)
{% endif %}
{% for step in did %}
    and m.session_id in (select unit_id from matched where step = {{ step }} and is_sure and left_out is null)
{% endfor %}
;
