{# What says whose the users and devices of one person are, and what did and was withdrawn.

   $users    the person's users
   $person   the person: a device, where no user is #}
with recursive
edges as (
    select distinct edge_id, kind, from_id, to_id, identities.at, author
    from lake.identities as identities
    where kind in ('identify', 'merge')
        and site = $site
        and (
            list_contains($users, to_id)
            or list_contains($users, from_id)
            or from_id = $person
            -- Whoever else was named on a browser of theirs.
            or (kind = 'identify' and from_id in (
                select device_id from lake.logins where list_contains($users, user_id)
            ))
        )
),
-- The undo that stands at the end: the edge itself where nobody withdrew it, else the last undo of the chain.
latest (edge_id, last_id, depth) as (
    select edge_id, edge_id, 0 from edges
    union
    select latest.edge_id, undos.edge_id, latest.depth + 1
    from latest
    join lake.edits as undos on undos.kind = 'undo' and undos.undoes = latest.last_id
),
ends as (
    select edge_id, arg_max(last_id, depth) as last_id
    from latest
    group by edge_id
)
select
    edges.kind
    , coalesce(min(devices.device), min(merged.name), cast(edges.from_id as varchar)) as source
    , coalesce(min(users.name), cast(edges.to_id as varchar)) as target
    , edges.edge_id not in (select edge_id from lake.withdrawn) as is_in_force
    , min(edges.at) as first_at
    , max(edges.at) as last_at
    , string_agg(distinct edges.author, ', ' order by edges.author) as authors
    , string_agg(distinct cast(edges.edge_id as varchar), ' ') as ids
    , string_agg(distinct cast(ends.last_id as varchar), ' ') as last_ids
from edges
join ends on ends.edge_id = edges.edge_id
left join (select device_id, min(device) as device from lake.devices group by device_id) as devices
    on devices.device_id = edges.from_id and edges.kind = 'identify'
left join (select user_id, min("user") as name from lake.users group by user_id) as merged
    on merged.user_id = edges.from_id
left join (select user_id, min("user") as name from lake.users group by user_id) as users
    on users.user_id = edges.to_id
group by edges.kind, edges.from_id, edges.to_id, is_in_force
order by edges.kind desc, last_at desc, source, target
;
