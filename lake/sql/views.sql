-- What people write SQL against: events, elements and people, with ids resolved to names.
--
-- DuckDB drops a left join of which no column is asked for when the joined relation has one row per id, but only one
-- join in each select. So devices and logins are one relation, joined once; names of groups, and of users that a
-- server names, come from scalar subqueries, which are dropped as well. `select type, count(*) from events group by 1`
-- therefore reads one column of one table.

-- What a device is called, and who was logged in on it: one row per device. `logins` is null where one user was.
create or replace view lake.device_names as
select
    devices.device_id
    , min(devices.device) as device
    , min(devices.is_daily) as is_daily
    , min_by(logins.user_id, coalesce(logins.begins_at, timestamptz '-infinity')) as first_user_id
    , min_by(users."user", coalesce(logins.begins_at, timestamptz '-infinity')) as first_user
    , min_by(coalesce(joined.person_id, logins.user_id), coalesce(logins.begins_at, timestamptz '-infinity'))
        as first_person_id
    , case when count(*) > 1 then list({
        'begins_at': coalesce(logins.begins_at, timestamptz '-infinity')
        , 'page_id': logins.begins_page_id
        , 'page_seq': logins.begins_page_seq
        , 'event_id': logins.begins_event_id
        , 'user_id': logins.user_id
        , 'user': users."user"
        , 'person_id': coalesce(joined.person_id, logins.user_id)
    }) end as logins
from (
    select device_id, min(device) as device, min(is_daily) as is_daily
    from lake.devices
    group by device_id
) as devices
left join lake.logins as logins on logins.device_id = devices.device_id
left join lake.joined_users as joined on joined.user_id = logins.user_id
left join (
    select user_id, min("user") as "user"
    from lake.users
    group by user_id
) as users on users.user_id = logins.user_id
group by devices.device_id;

create or replace macro lake.login_at(logins, moment, page_id, page_seq, event_id) as
    list_max(list_filter(logins, lambda login:
        (login.begins_at, login.page_id, login.page_seq, login.event_id) <= (moment, page_id, page_seq, event_id)
    ));

-- A user or group by its id, found in one list of all of them: for ids that few events carry.
create or replace macro lake.user_named(id) as
    case when id is not null then list_filter(
        (select list({'id': user_id, 'user': "user"}) from lake.users)
        , lambda one: one.id = id
    )[1] end;

-- The person of a user, likewise.
create or replace macro lake.person_of(id) as
    coalesce(
        list_filter(
            (select list({'id': user_id, 'person_id': person_id}) from lake.joined_users)
            , lambda one: one.id = id
        )[1].person_id
        , id
    );

create or replace macro lake.group_named(id) as
    case when id is not null then list_filter(
        (select list({'id': group_id, 'group_type': group_type, 'group': "group"}) from lake.groups)
        , lambda one: one.id = id
    )[1] end;

create or replace view events as
select
    events.* replace (
        coalesce(events.placement_id, events.element_id) as placement_id,
        case
            when events.source = 'server' and events.user_id is not null then events.user_id
            when names.logins is null then names.first_user_id
            else lake.login_at(names.logins, events.time, events.page_id, events.page_seq, events.event_id).user_id
        end as user_id
    )
    , names.device
    , case
        when events.source = 'server' and events.user_id is not null then lake.user_named(events.user_id)."user"
        when names.logins is null then names.first_user
        else lake.login_at(names.logins, events.time, events.page_id, events.page_seq, events.event_id)."user"
    end as "user"
    , case
        when events.source = 'server' and events.user_id is not null then lake.person_of(events.user_id)
        when names.logins is null then coalesce(names.first_person_id, events.device_id)
        else lake.login_at(names.logins, events.time, events.page_id, events.page_seq, events.event_id).person_id
    end as person_id
    , lake.group_named(events.group_id).group_type as group_type
    , lake.group_named(events.group_id)."group" as "group"
from lake.events as events
left join lake.device_names as names on names.device_id = events.device_id;

create or replace view elements as
select
    elements.element_id
    , min(elements.parent_id) as parent_id
    , min(elements.descriptor_id) as descriptor_id
    , min(descriptors.tag) as tag
    , min(descriptors.namespace) as namespace
    , min(descriptors.dom_id) as dom_id
    , min(descriptors.class_name) as class_name
    , min(descriptors.classes) as classes
    , min(descriptors.attributes) as attributes
    , min(descriptors.attribute_names) as attribute_names
    , min(descriptors.marks) as marks
    , min(descriptors.is_checked) as is_checked
    , min(descriptors.is_disabled) as is_disabled
    , min(descriptors.is_required) as is_required
    , min(descriptors.is_open) as is_open
    , min(descriptors.is_read_only) as is_read_only
    , min(elements.depth) as depth
    , min(elements.is_shadow_child) as is_shadow_child
    , min(elements.is_cut) as is_cut
    , min(elements.is_root) as is_root
from lake.elements as elements
left join lake.descriptors as descriptors on descriptors.descriptor_id = elements.descriptor_id
group by elements.element_id;

create or replace view placements as
select
    placement_id
    , min(element_id) as element_id
    , min(parent_placement_id) as parent_placement_id
    , min(sibling_index) as sibling_index
    , min(sibling_count) as sibling_count
    , min(type_index) as type_index
    , min(type_count) as type_count
from lake.placed
group by placement_id;

-- The latest value of each trait, as one JSON object per person or group.
create or replace view lake.latest_traits as
select subject_kind, subject_id, json_group_object(name, json(value)) as traits
from (
    select
        subject_kind
        , person_id as subject_id
        , name
        , max_by(value, (traits."at", traits.page_id, traits.page_seq, traits.event_id)) as value
    from lake.traits_of_people as traits
    group by subject_kind, person_id, name
) as latest
group by subject_kind, subject_id;

create or replace view people as
select
    persons.person_id
    , persons.site
    , names."user"
    , persons.devices
    , persons.events
    , persons.first_seen_at
    , persons.last_seen_at
    , traits.traits
from (
    select
        person_id
        , min(site) as site
        , count(distinct device_id) as devices
        , count(*) as events
        , min(time) as first_seen_at
        , max(time) as last_seen_at
    from events
    where person_id is not null
    group by person_id
) as persons
left join (
    select user_id, min("user") as "user"
    from lake.users
    group by user_id
) as names on names.user_id = persons.person_id
left join lake.latest_traits as traits on traits.subject_id = persons.person_id and traits.subject_kind = 'user';
