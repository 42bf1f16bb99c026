{# Whose the ids of the relation `asked` may be: a person, or nobody, and the browser they may have used.

   by_property   whether ids are values of the property $property, a JSON pointer, of an event; else what the site calls users
   has_browser   says that a browser is known to be theirs #}
{% if by_property %}
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , json_extract_string(e.properties, $property) as id
    from lake.events as e
    where e.site = $site
        and json_extract_string(e.properties, $property) in (select id from asked)
),
{% include "persons.sql" %},
owned as (
    select distinct coalesce(joined.person_id, logins.user_id) as person_id
    from lake.logins as logins
    left join lake.joined_users as joined on joined.user_id = logins.user_id
)
select distinct
    m.id
    , m.person_id
    , m.device_id
    , m.device_id is not null
        or coalesce(m.person_id in (select person_id from owned), false) as has_browser
from matches_of_people as m
{% else %}
with
named as (
    select asked.id, users.user_id, coalesce(joined.person_id, users.user_id) as person_id
    from asked
    join lake.users as users on users.site = $site and users."user" = asked.id
    left join lake.joined_users as joined on joined.user_id = users.user_id
),
-- Users of one person are one, whichever of them a browser was named for.
theirs as (
    select distinct named.id, named.person_id, coalesce(fellows.user_id, named.user_id) as user_id
    from named
    left join lake.joined_users as fellows on fellows.person_id = named.person_id
),
browsers as (
    select device_id, user_id, true as is_theirs from lake.logins
    union
    -- Withdrawn ones too: what was done there is somebody else's now.
    select from_id, to_id, false from lake.identities where kind = 'identify' and site = $site
)
select distinct
    theirs.id
    , theirs.person_id
    , browsers.device_id
    , coalesce(browsers.is_theirs, false) as has_browser
from theirs
left join browsers on browsers.user_id = theirs.user_id
{% endif %}
;
