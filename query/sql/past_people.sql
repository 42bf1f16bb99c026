{# How many events and people, by whether they surely match and why they are left out.

   has_ties  whether anything happened at the very moment of a login: those events are read again, with their order
   match     the compiled definition, for these #}
with
{% if has_ties %}
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        , null::bigint as own_user_id
        , {% include "verdict.sql" %} as verdict
    from lake.events as e
    where e.site = $site
        and (e.device_id, e.time) in (select device_id, time from at_login)
        and case when e.source = 'server' then e.user_id end is null
        and {{ match.possibly }}
),
{% include "persons.sql" %},
{% endif %}
users as (
    select verdict, person_id
    from persons
    union
    select m.verdict, coalesce(joined.person_id, logins.user_id)
    from of_several as m
    join lake.stretches as logins on logins.device_id = m.device_id
        and (logins.begins_at is null or m.time >= logins.begins_at)
        and (logins.ends_at is null or m.time < logins.ends_at)
    left join lake.joined_users as joined on joined.user_id = logins.user_id
{% if has_ties %}
    where (m.device_id, m.time) not in (select device_id, time from at_login)
    union
    select verdict, person_id
    from matches_of_people
{% endif %}
),
counts as (
    select verdict, sum(events)::bigint as events, min(first) as first, max(last) as last
    from totals
    group by verdict
),
known as (
    select verdict, count(*) as people
    from users
    group by verdict
)
select
    counts.verdict > 0 as is_sure
    , case abs(counts.verdict) when 2 then 'bots' when 3 then 'internal' when 4 then 'environment' end as left_out
    , counts.events
    , coalesce(strangers.people, 0) + coalesce(known.people, 0) as people
    , epoch_us(counts.first) as first
    , epoch_us(counts.last) as last
from counts
left join strangers on strangers.verdict = counts.verdict
left join known on known.verdict = counts.verdict
order by is_sure, left_out
;
