{# The chains of some placements, target first. Dictionaries are sets that may hold repeats, so rows are grouped by id.

   $placements  which: values, because the ancestors of all others would be looked up beside a relation #}
with
levels as (
    select placement_id, 0 as distance, placement_id as level_id
    from (select distinct unnest($placements) as placement_id) as targets
    union
    select placement_id, distance, ancestor_id
    from lake.placement_ancestors
    where list_contains($placements, placement_id)
),
places as (
    select
        placement_id
        , any_value(element_id) as element_id
        , any_value(descriptor_id) as descriptor_id
        , any_value(sibling_index) as sibling_index
        , any_value(sibling_count) as sibling_count
        , any_value(type_index) as type_index
        , any_value(type_count) as type_count
        , any_value(is_shadow_child) as is_shadow_child
    from lake.placed
    where placement_id in (select level_id from levels)
    group by placement_id
),
descriptions as (
    select
        descriptor_id
        , any_value(tag) as tag
        , any_value(dom_id) as dom_id
        , any_value(classes) as classes
        , any_value(attributes) as attributes
        , any_value(attribute_names) as attribute_names
    from lake.descriptors
    where descriptor_id in (select descriptor_id from places)
    group by descriptor_id
)
select
    levels.placement_id, levels.distance, places.element_id, places.descriptor_id
    , descriptions.tag, descriptions.dom_id, descriptions.classes, descriptions.attributes
    , descriptions.attribute_names
    , places.sibling_index, places.sibling_count, places.type_index, places.type_count, places.is_shadow_child
    , levels.level_id
from levels
join places on places.placement_id = levels.level_id
join descriptions on descriptions.descriptor_id = places.descriptor_id
order by levels.placement_id, levels.distance
;
