{# The chains of some elements, target first. Dictionaries are sets that may hold repeats, so rows are grouped by id.

   chosen  the relation that holds their `element_id` #}
with
places as (
    select element_id, 0 as distance, element_id as level_id
    from (select distinct element_id from {{ chosen }}) as targets
    union
    select element_id, distance, ancestor_id
    from lake.element_ancestors
    where element_id in (select element_id from {{ chosen }})
),
levels as (
    select
        element_id
        , any_value(descriptor_id) as descriptor_id
        , any_value(sibling_index) as sibling_index
        , any_value(sibling_count) as sibling_count
        , any_value(type_index) as type_index
        , any_value(type_count) as type_count
        , any_value(is_shadow_child) as is_shadow_child
    from lake.elements
    where element_id in (select level_id from places)
    group by element_id
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
    where descriptor_id in (select descriptor_id from levels)
    group by descriptor_id
)
select
    places.element_id, places.distance, places.level_id, levels.descriptor_id
    , descriptions.tag, descriptions.dom_id, descriptions.classes, descriptions.attributes
    , descriptions.attribute_names
    , levels.sibling_index, levels.sibling_count, levels.type_index, levels.type_count, levels.is_shadow_child
from places
join levels on levels.element_id = places.level_id
join descriptions on descriptions.descriptor_id = levels.descriptor_id
order by places.element_id, places.distance
;
