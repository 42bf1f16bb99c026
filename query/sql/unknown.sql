{# Why the unknown events of the relation `found` are unknown: (leaf, reason, events), the commonest first.

   expressions   of the sets of descriptors, one for each leaf
   leaves        conditions of the selectors: the `set` of what may fulfil it, the `name` of the attribute, `is_state`
   has_siblings  whether a selector asks for previous siblings
   has_counts    whether a selector asks how many siblings there are #}
with
unknown as (
    select coalesce(placement_id, element_id) as placement_id, sum(events) as events
    from found
    where verdict = -1
    group by coalesce(placement_id, element_id)
),
levels as (
    select placement_id, placement_id as level_id
    from unknown
    union
    select placement_id, ancestor_id
    from lake.placement_ancestors
    where placement_id in (select placement_id from unknown)
),
described as (
    select l.placement_id, p.descriptor_id
    from levels as l
    join lake.placed as p on p.placement_id = l.level_id
{% if has_siblings %}
    union
    select l.placement_id, s.sibling_descriptor_id
    from levels as l
    join lake.placement_siblings as s on s.placement_id = l.level_id
{% endif %}
),
{% for expression in expressions %}
{{ expression }},
{% endfor %}
reasons as (
    select l.placement_id, null as leaf, 'chain' as reason
    from levels as l
    join lake.placed as p on p.placement_id = l.level_id
    where p.is_cut
{% if has_siblings %}
    union
    select l.placement_id, null, 'siblings'
    from levels as l
    join lake.uncaptured_siblings as u on u.placement_id = l.level_id
{% endif %}
{% if has_counts %}
    union
    select l.placement_id, null, 'count'
    from levels as l
    join lake.placed as p on p.placement_id = l.level_id
    where p.sibling_count = 0
{% endif %}
{% for leaf in leaves %}
    union
    select
        d.placement_id
        , {{ loop.index0 }}
{% if leaf.is_state %}
        , 'state'
{% else %}
        , case
            when list_contains(string_split(lower(array_to_string(w.attribute_names, ' ')), ' '), {{ leaf.name }})
            then 'name_only'
            else 'not_whole'
        end
{% endif %}
    from described as d
    join {{ leaf.set }} as n on n.descriptor_id = d.descriptor_id
    join lake.descriptors as w on w.descriptor_id = d.descriptor_id
    where not n.is_sure
{% endfor %}
)
select leaf, reason, events
from (
    select r.leaf, r.reason, cast(sum(u.events) as bigint) as events
    from reasons as r
    join unknown as u on u.placement_id = r.placement_id
    group by r.leaf, r.reason
    union all
    select null, 'rest', cast(sum(events) as bigint)
    from unknown
    where placement_id is null
        or placement_id not in (select placement_id from reasons)
    having sum(events) > 0
) as counts
order by events desc, reason, leaf
;
