-- The element dictionary as plain rows, so that a question needs no list functions. Repeats of a dictionary row repeat
-- here: group by id, or semi-join. How a document compares names is settled in these views:
--   in HTML, names of elements and attributes are stored as HTML has them, and a selector's name is lower-cased for
--   the comparison; elsewhere (SVG, MathML) browsers ignore the case of both, so those names are lower-cased here;
--   a document in quirks mode ignores the case of ids and classes, so those are lower-cased here.
-- Only A to Z have a lower case in HTML, which is why translate() stands here and not lower() alone.

create or replace view lake.descriptor_types as
select
    descriptor_id
    , namespace
    , case
        when namespace = 'html' then tag
        else translate(tag, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
    end as type_name
from lake.descriptors;

-- One row for an element with an id. No id in it: it has one, and not all of it is known.
create or replace view lake.descriptor_ids as
select
    descriptor_id
    , is_quirks
    , case
        when list_contains(marks, 'id') then null
        when is_quirks then translate(dom_id, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
        else dom_id
    end as dom_id
from lake.descriptors
where dom_id is not null;

-- One row for each class. A row without a class: there may be more classes, because the attribute is not whole.
create or replace view lake.descriptor_classes as
select
    descriptor_id
    , is_quirks
    , case
        when is_quirks then translate(class_name, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
        else class_name
    end as class_name
from (select descriptor_id, is_quirks, unnest(classes) as class_name from lake.descriptors) as words
union all
select descriptor_id, is_quirks, null as class_name
from lake.descriptors
where list_contains(marks, 'class');

-- Every attribute, `id` and `class` included. In a partial value each … is an unknown stretch; of an attribute that is
-- known by name only, all is unknown. `head` and `tail` are the exact text before the first … and after the last one.
create or replace view lake.descriptor_attributes as
select
    descriptor_id
    , case
        when is_html then name
        else translate(name, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
    end as name
    , value
    , case
        when strlen(value) = length(value) then lower(value) -- the same for ASCII, and three times as fast
        else translate(value, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
    end as lower_value
    , case when is_partial then split_part(value, '…', 1) else value end as head
    , case when is_partial then split_part(value, '…', -1) else value end as tail
    , is_partial
    , is_html
from (
    select
        descriptor_id
        , namespace = 'html' as is_html
        , unnest(attributes, recursive := true)
    from lake.descriptors
    union all
    select descriptor_id, namespace = 'html', unnest(attribute_names), '…', true
    from lake.descriptors
    union all
    select descriptor_id, namespace = 'html', 'id', dom_id, list_contains(marks, 'id')
    from lake.descriptors
    where dom_id is not null
    union all
    select descriptor_id, namespace = 'html', 'class', class_name, list_contains(marks, 'class')
    from lake.descriptors
    where class_name is not null
) as attributes;

-- Every ancestor, nearest first at distance 1, through the hosts of shadow roots.
create or replace view lake.element_ancestors as
select element_id, ancestor_id, distance, distance <= tree_depth as is_same_tree
from (
    select
        element_id
        , tree_depth
        , unnest(ancestors) as ancestor_id
        , generate_subscripts(ancestors, 1) as distance
    from lake.elements
) as pairs;

-- Every element with its place among its siblings. Before there were placements an element's place was part of its
-- own row and id; such a row is a placement as well, by the same id, and events from then have no other one.
create or replace view lake.placed as
select
    placement_id, element_id, parent_placement_id, descriptor_id
    , sibling_index, sibling_count, type_index, type_count, previous_siblings
    , ancestors, tree_depth, is_shadow_child, is_cut, is_root
from lake.placements
union all
select
    element_id, element_id, parent_id, descriptor_id
    , sibling_index, sibling_count, type_index, type_count, previous_siblings
    , ancestors, tree_depth, is_shadow_child, is_cut, is_root
from lake.elements
where sibling_index is not null;

-- The same for placements: every ancestor with its own place.
create or replace view lake.placement_ancestors as
select placement_id, ancestor_id, distance, distance <= tree_depth as is_same_tree
from (
    select
        placement_id
        , tree_depth
        , unnest(ancestors) as ancestor_id
        , generate_subscripts(ancestors, 1) as distance
    from lake.placed
) as pairs;

-- What the previous siblings are, nearest first at distance 1; at most 20 are captured.
create or replace view lake.placement_siblings as
select
    placement_id
    , unnest(previous_siblings) as sibling_descriptor_id
    , generate_subscripts(previous_siblings, 1) as distance
from lake.placed;

-- The previous siblings that were not captured, because there are more: the first child as a row of its own, and all
-- between it and those that were captured as one row, at a distance from `distance` to `furthest`. If all of them have
-- the type of the element itself, `is_own_type` says so; `descriptor_id` is the element's.
create or replace view lake.uncaptured_siblings as
select
    placement_id
    , descriptor_id
    , sibling_index - 1 as distance
    , sibling_index - 1 as furthest
    , type_index = sibling_index as is_own_type
from lake.placed
where sibling_index - 1 > len(previous_siblings)
union all
select
    placement_id
    , descriptor_id
    , len(previous_siblings)::integer + 1 as distance
    , sibling_index - 2 as furthest
    , type_index = sibling_index as is_own_type
from lake.placed
where sibling_index - 2 > len(previous_siblings);
