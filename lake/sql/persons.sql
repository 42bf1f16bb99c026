-- Whose events are whose (docs/rules.md 3): on a device, events from identify(A) until identify(B) belong to A, those before
-- the first identify to the first user. A device without identify is its own person. Users whom merges join are one.
-- A row comparison is the total order of events: time, page_id, page_seq, event_id.

-- What questions made of the edges that there were before, once for a connection (login_moments.sql, past_owners.sql).
drop table if exists lake.login_moments;
drop table if exists lake.owners;
drop table if exists lake.people_of_devices;
drop table if exists lake.stretches;

-- What editors said. That is little beside what browsers say, so it and what follows from it are worked out once for a
-- connection: a recursive view would be worked out for every question, also for one that asks nothing of people.
create or replace table lake.edits as
select distinct edge_id, kind, from_id, to_id, undoes
from lake.identities
where kind in ('merge', 'undo');

-- Edges that are not in force: an undo withdraws the edge that it names, and an undo of that undo gives it back.
create or replace table lake.withdrawn as
with recursive
undos as (
    select distinct undoes as edge_id, edge_id as undo_id
    from lake.edits
    where kind = 'undo' and undoes is not null
),
undone (edge_id, undo_id, depth) as (
    select edge_id, undo_id, 1
    from undos
    where edge_id not in (select undo_id from undos)
    union
    select undone.edge_id, undos.undo_id, undone.depth + 1
    from undone
    join undos on undos.edge_id = undone.undo_id
)
select edge_id
from undone
group by edge_id
having max(depth) % 2 = 1;

-- The users whom merges in force join with others, and their person: it is named by the user that is merged
-- into nobody (the least id where there are several), so no order of merges and undos changes it.
create or replace table lake.joined_users as
with recursive
merges as (
    select distinct from_id, to_id
    from lake.edits
    where kind = 'merge' and edge_id not in (select edge_id from lake.withdrawn)
),
links as (
    select from_id as user_id, to_id as other_id from merges
    union
    select to_id, from_id from merges
),
reached (user_id, other_id) as (
    select user_id, user_id from links
    union
    select reached.user_id, links.other_id
    from reached
    join links on links.user_id = reached.other_id
)
select
    user_id
    , coalesce(min(other_id) filter (where other_id not in (select from_id from merges)), min(other_id)) as person_id
from reached
group by user_id;

-- Whose each device is. Where `are_several` is true it was another user's later on, and `logins` says when.
create or replace view lake.device_owners as
select from_id as device_id, min(to_id) as user_id, min(to_id) <> max(to_id) as are_several
from lake.identities
where kind = 'identify' and from_id is not null and to_id is not null
    and edge_id not in (select edge_id from lake.withdrawn)
group by from_id;

-- The stretches of devices under one user after the other. `begins_at` is null for the first, `ends_at` for the last.
create or replace view lake.logins_of_several as
with of_several as (
    -- Edges are a set that may hold repeats.
    select distinct
        from_id as device_id, to_id as user_id, identities.at as named_at, page_id, page_seq, event_id
    from lake.identities as identities
    where kind = 'identify' and from_id is not null and to_id is not null
        and edge_id not in (select edge_id from lake.withdrawn)
        and from_id in (select device_id from lake.device_owners where are_several)
),
ordered as (
    select
        of_several.*,
        lag(user_id) over (partition by device_id order by named_at, page_id, page_seq, event_id) as previous_user_id
    from of_several
),
changes as (
    select * from ordered where previous_user_id is null or previous_user_id <> user_id
)
select
    device_id,
    user_id,
    case when previous_user_id is not null then named_at end as begins_at,
    page_id as begins_page_id,
    page_seq as begins_page_seq,
    event_id as begins_event_id,
    lead(named_at) over (partition by device_id order by named_at, page_id, page_seq, event_id) as ends_at,
    lead(page_id) over (partition by device_id order by named_at, page_id, page_seq, event_id) as ends_page_id,
    lead(page_seq) over (partition by device_id order by named_at, page_id, page_seq, event_id) as ends_page_seq,
    lead(event_id) over (partition by device_id order by named_at, page_id, page_seq, event_id) as ends_event_id
from changes;

-- One row per stretch of a device under one user. Most devices have had one user only, and need no order.
create or replace view lake.logins as
select
    device_id,
    user_id,
    null as begins_at,
    null as begins_page_id,
    null as begins_page_seq,
    null as begins_event_id,
    null as ends_at,
    null as ends_page_id,
    null as ends_page_seq,
    null as ends_event_id
from lake.device_owners
where not are_several
union all
select * from lake.logins_of_several;

-- The person of every event. A server's event belongs to the user it names.
create or replace view lake.events_of_people as
select
    events.*,
    coalesce(
        joined.person_id, case when events.source = 'server' then events.user_id end, logins.user_id, events.device_id
    ) as person_id,
    coalesce(case when events.source = 'server' then events.user_id end, logins.user_id) is not null as is_user
from lake.events as events
left join lake.logins as logins
    on logins.device_id = events.device_id
    and (
        logins.begins_at is null
        or (events.time, events.page_id, events.page_seq, events.event_id)
        >= (logins.begins_at, logins.begins_page_id, logins.begins_page_seq, logins.begins_event_id)
    )
    and (
        logins.ends_at is null
        or (events.time, events.page_id, events.page_seq, events.event_id)
        < (logins.ends_at, logins.ends_page_id, logins.ends_page_seq, logins.ends_event_id)
    )
left join lake.joined_users as joined
    on joined.user_id = coalesce(case when events.source = 'server' then events.user_id end, logins.user_id);

-- The traits of users and groups; those of users with the person whose they are.
create or replace view lake.traits_of_people as
select traits.*, coalesce(joined.person_id, traits.subject_id) as person_id
from lake.traits as traits
left join lake.joined_users as joined on joined.user_id = traits.subject_id and traits.subject_kind = 'user';
