{# Which unit the ids of the relation `asked` may be, and what else there is to look at.

   unit          what is counted: "person", "device" or "group"; of groups the relation `memberships` is there
   by_property   whether ids are values of the property $property, a JSON pointer, of an event; else what the site calls
                 its users, its browsers, or its groups of $group_type

   unit_id, other_id   a person and a browser that may be theirs; a browser; a group and somebody who was in it
   has_source          says that a browser, or somebody in the group, is known #}
{% if by_property and unit == "device" %}
select distinct
    json_extract_string(e.properties, $property) as id
    , e.device_id as unit_id
    , cast(null as bigint) as other_id
    , e.device_id is not null as has_source
from lake.events as e
where e.site = $site
    and json_extract_string(e.properties, $property) in (select id from asked)
{% elif by_property %}
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
{% if unit == "group" %}
{% include "units.sql" %}

select distinct m.id, m.unit_id, m.person_id as other_id, m.unit_id is not null as has_source
from matches_of_units as m
{% else %}
{% include "persons.sql" %},
owned as (
    select distinct coalesce(joined.person_id, logins.user_id) as person_id
    from lake.logins as logins
    left join lake.joined_users as joined on joined.user_id = logins.user_id
)
select distinct
    m.id
    , m.person_id as unit_id
    , m.device_id as other_id
    , m.device_id is not null
        or coalesce(m.person_id in (select person_id from owned), false) as has_source
from matches_of_people as m
{% endif %}
{% elif unit == "device" %}
select distinct asked.id, devices.device_id as unit_id, cast(null as bigint) as other_id, true as has_source
from asked
join lake.devices as devices on devices.site = $site and devices.device = asked.id
{% elif unit == "group" %}
select distinct
    asked.id, named.group_id as unit_id, memberships.person_id as other_id
    , memberships.person_id is not null as has_source
from asked
join lake.groups as named on named.site = $site and named.group_type = $group_type and named."group" = asked.id
left join memberships on memberships.group_id = named.group_id
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
    , theirs.person_id as unit_id
    , browsers.device_id as other_id
    , coalesce(browsers.is_theirs, false) as has_source
from theirs
left join browsers on browsers.user_id = theirs.user_id
{% endif %}
;
