button

with click_button as (
    -- button
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_button_elements as (
    -- button
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_button as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_button_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_button_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'button'

.primary

with click_primary as (
    -- .primary
    select descriptor_id, max(class_name is not null) as is_sure
    from lake.descriptor_classes
    where class_name = $click_class or class_name is null
    group by descriptor_id
)
, click_primary_elements as (
    -- .primary
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_primary as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_primary_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_primary_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_class = 'primary'

#buy

with click_buy as (
    -- #buy
    select descriptor_id, max(dom_id is not null) as is_sure
    from lake.descriptor_ids
    where dom_id = $click_id or dom_id is null
    group by descriptor_id
)
, click_buy_elements as (
    -- #buy
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_buy as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_buy_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_buy_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_id = 'buy'

form.signup button[type=submit]

with click_signup as (
    -- .signup
    select descriptor_id, max(class_name is not null) as is_sure
    from lake.descriptor_classes
    where class_name = $click_class or class_name is null
    group by descriptor_id
)
, click_form as (
    -- form.signup
    select distinct d.descriptor_id, click_signup.is_sure
    from lake.descriptor_types as d
    join click_signup on click_signup.descriptor_id = d.descriptor_id
    where d.type_name = $click_type
)
, click_form_elements as (
    -- form.signup
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_form as d on d.descriptor_id = e.descriptor_id
)
, click_type as (
    -- [type="submit"]
    select descriptor_id, max(value = $click_value or (is_html and lower_value = $click_value)) as is_sure
    from lake.descriptor_attributes
    where name = $click_name
        and (
            value = $click_value or (is_html and lower_value = $click_value)
            or (is_partial and starts_with(lower($click_value), lower(head)) and ends_with(lower($click_value), lower(tail)))
        )
    group by descriptor_id
)
, click_button as (
    -- button[type="submit"]
    select distinct d.descriptor_id, click_type.is_sure
    from lake.descriptor_types as d
    join click_type on click_type.descriptor_id = d.descriptor_id
    where d.type_name = $click_type_2
)
, click_button_elements as (
    -- button[type="submit"]
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_button as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_button_in_form as (
    -- form.signup button[type="submit"]
    select element_id, max(is_sure) as is_sure
    from (
        select i.element_id, o.is_sure and i.is_sure as is_sure
        from lake.element_ancestors as a
        join click_button_elements as i on i.element_id = a.element_id
        join click_form_elements as o on o.element_id = a.ancestor_id
        where a.is_same_tree
        union all
        select i.element_id, false
        from click_button_elements as i
        join click_cut as c on c.element_id = i.element_id
        where c.is_same_tree
    ) as found
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_button_in_form
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_button_in_form as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'form'
-- $click_class = 'signup'
-- $click_type_2 = 'button'
-- $click_name = 'type'
-- $click_value = 'submit'

nav > a:nth-child(2):not(.active)

with click_nav as (
    -- nav
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_nav_elements as (
    -- nav
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_nav as d on d.descriptor_id = e.descriptor_id
)
, click_active as (
    -- .active
    select descriptor_id, max(class_name is not null) as is_sure
    from lake.descriptor_classes
    where class_name = $click_class or class_name is null
    group by descriptor_id
)
, click_a as (
    -- a:not(.active)
    select distinct d.descriptor_id, not_click_active.descriptor_id is null as is_sure
    from lake.descriptor_types as d
    left join click_active as not_click_active on not_click_active.descriptor_id = d.descriptor_id
    where d.type_name = $click_type_2
        and not coalesce(not_click_active.is_sure, false)
)
, click_a_elements as (
    -- a:nth-child(2):not(.active)
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_a as d on d.descriptor_id = e.descriptor_id
    where e.sibling_index = 2
)
, click_a_in_nav as (
    -- nav > a:nth-child(2):not(.active)
    select placement_id, max(is_sure) as is_sure
    from (
        select i.placement_id, o.is_sure and i.is_sure as is_sure
        from click_a_elements as i
        join lake.placed as e on e.placement_id = i.placement_id
        join click_nav_elements as o on o.placement_id = e.parent_placement_id
        where not e.is_shadow_child
        union all
        select i.placement_id, false
        from click_a_elements as i
        join lake.placed as e on e.placement_id = i.placement_id
        where e.is_cut
    ) as found
    group by placement_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select placement_id, max(is_same_tree) as is_same_tree
    from (
        select placement_id, true as is_same_tree
        from lake.placed
        where is_cut
        union all
        select a.placement_id, a.is_same_tree
        from lake.placement_ancestors as a
        join lake.placed as e on e.placement_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by placement_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select placement_id, is_sure
    from click_a_in_nav
    union all
    select a.placement_id, m.is_sure
    from lake.placement_ancestors as a
    join click_a_in_nav as m on m.placement_id = a.ancestor_id
)
, click_surely as (
    select distinct placement_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select placement_id
    from click_chain
    union
    select placement_id
    from click_cut
)
select placement_id from click_surely
-- $click_type = 'nav'
-- $click_type_2 = 'a'
-- $click_class = 'active'

a[href^="/pricing"]

with click_href as (
    -- [href^="/pricing"]
    select descriptor_id, max(starts_with(value, $click_value)) as is_sure
    from lake.descriptor_attributes
    where name = $click_name
        and (
            starts_with(value, $click_value)
            or (is_partial and starts_with($click_value, head))
        )
    group by descriptor_id
)
, click_a as (
    -- a[href^="/pricing"]
    select distinct d.descriptor_id, click_href.is_sure
    from lake.descriptor_types as d
    join click_href on click_href.descriptor_id = d.descriptor_id
    where d.type_name = $click_type
)
, click_a_elements as (
    -- a[href^="/pricing"]
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_a as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_a_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_a_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'a'
-- $click_name = 'href'
-- $click_value = '/pricing'

[data-test="Go" i]

with click_data_test as (
    -- [data-test="Go" i]
    select descriptor_id, max(lower_value = $click_value_lower) as is_sure
    from lake.descriptor_attributes
    where name = $click_name
        and (
            lower_value = $click_value_lower
            or (is_partial and starts_with(lower($click_value_lower), lower(head)) and ends_with(lower($click_value_lower), lower(tail)))
        )
    group by descriptor_id
)
, click_data_test_elements as (
    -- [data-test="Go" i]
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_data_test as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_data_test_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_data_test_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_name = 'data-test'
-- $click_value_lower = 'go'

li:not(:first-child, .ad li)

with click_li as (
    -- li
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_any_elements as (
    -- :first-child
    select distinct e.placement_id, true as is_sure
    from lake.placed as e
    where e.sibling_index = 1
)
, click_ad as (
    -- .ad
    select descriptor_id, max(class_name is not null) as is_sure
    from lake.descriptor_classes
    where class_name = $click_class or class_name is null
    group by descriptor_id
)
, click_ad_elements as (
    -- .ad
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_ad as d on d.descriptor_id = e.descriptor_id
)
, click_li_elements as (
    -- li
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_li as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select placement_id, max(is_same_tree) as is_same_tree
    from (
        select placement_id, true as is_same_tree
        from lake.placed
        where is_cut
        union all
        select a.placement_id, a.is_same_tree
        from lake.placement_ancestors as a
        join lake.placed as e on e.placement_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by placement_id
)
, click_li_in_ad as (
    -- .ad li
    select placement_id, max(is_sure) as is_sure
    from (
        select i.placement_id, o.is_sure and i.is_sure as is_sure
        from lake.placement_ancestors as a
        join click_li_elements as i on i.placement_id = a.placement_id
        join click_ad_elements as o on o.placement_id = a.ancestor_id
        where a.is_same_tree
        union all
        select i.placement_id, false
        from click_li_elements as i
        join click_cut as c on c.placement_id = i.placement_id
        where c.is_same_tree
    ) as found
    group by placement_id
)
, click_li_elements_2 as (
    -- li:not(:first-child, .ad li)
    select distinct
        e.placement_id
        , d.is_sure
            and not_click_any_elements.placement_id is null
            and not_click_li_in_ad.placement_id is null as is_sure
    from lake.placed as e
    join click_li as d on d.descriptor_id = e.descriptor_id
    left join click_any_elements as not_click_any_elements on not_click_any_elements.placement_id = e.placement_id
    left join click_li_in_ad as not_click_li_in_ad on not_click_li_in_ad.placement_id = e.placement_id
    where not coalesce(not_click_any_elements.is_sure, false)
        and not coalesce(not_click_li_in_ad.is_sure, false)
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select placement_id, is_sure
    from click_li_elements_2
    union all
    select a.placement_id, m.is_sure
    from lake.placement_ancestors as a
    join click_li_elements_2 as m on m.placement_id = a.ancestor_id
)
, click_surely as (
    select distinct placement_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select placement_id
    from click_chain
    union
    select placement_id
    from click_cut
)
select placement_id from click_surely
-- $click_type = 'li'
-- $click_class = 'ad'

:is(header, footer) a, .menu a

with click_header as (
    -- header
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_footer as (
    -- footer
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type_2
)
, click_any as (
    -- :is(header, footer)
    select descriptor_id, max(is_sure) as is_sure
    from (
        select descriptor_id, is_sure from click_header
        union all
        select descriptor_id, is_sure from click_footer
    ) as found
    group by descriptor_id
)
, click_any_elements as (
    -- :is(header, footer)
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_any as d on d.descriptor_id = e.descriptor_id
)
, click_a as (
    -- a
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type_3
)
, click_a_elements as (
    -- a
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_a as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_a_in_any as (
    -- :is(header, footer) a
    select element_id, max(is_sure) as is_sure
    from (
        select i.element_id, o.is_sure and i.is_sure as is_sure
        from lake.element_ancestors as a
        join click_a_elements as i on i.element_id = a.element_id
        join click_any_elements as o on o.element_id = a.ancestor_id
        where a.is_same_tree
        union all
        select i.element_id, false
        from click_a_elements as i
        join click_cut as c on c.element_id = i.element_id
        where c.is_same_tree
    ) as found
    group by element_id
)
, click_menu as (
    -- .menu
    select descriptor_id, max(class_name is not null) as is_sure
    from lake.descriptor_classes
    where class_name = $click_class or class_name is null
    group by descriptor_id
)
, click_menu_elements as (
    -- .menu
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_menu as d on d.descriptor_id = e.descriptor_id
)
, click_a_in_menu as (
    -- .menu a
    select element_id, max(is_sure) as is_sure
    from (
        select i.element_id, o.is_sure and i.is_sure as is_sure
        from lake.element_ancestors as a
        join click_a_elements as i on i.element_id = a.element_id
        join click_menu_elements as o on o.element_id = a.ancestor_id
        where a.is_same_tree
        union all
        select i.element_id, false
        from click_a_elements as i
        join click_cut as c on c.element_id = i.element_id
        where c.is_same_tree
    ) as found
    group by element_id
)
, click_either as (
    -- :is(header, footer) a, .menu a
    select element_id, max(is_sure) as is_sure
    from (
        select element_id, is_sure from click_a_in_any
        union all
        select element_id, is_sure from click_a_in_menu
    ) as found
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_either
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_either as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'header'
-- $click_type_2 = 'footer'
-- $click_type_3 = 'a'
-- $click_class = 'menu'

h2:nth-last-of-type(2n+1)

with click_h2 as (
    -- h2
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_h2_elements as (
    -- h2:nth-last-of-type(2n+1)
    select distinct e.placement_id, d.is_sure and e.type_count <> 0 as is_sure
    from lake.placed as e
    join click_h2 as d on d.descriptor_id = e.descriptor_id
    where (e.type_count - e.type_index + 1 >= 1 and (e.type_count - e.type_index + 1 - 1) % 2 = 0 or e.type_count = 0)
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select placement_id, max(is_same_tree) as is_same_tree
    from (
        select placement_id, true as is_same_tree
        from lake.placed
        where is_cut
        union all
        select a.placement_id, a.is_same_tree
        from lake.placement_ancestors as a
        join lake.placed as e on e.placement_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by placement_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select placement_id, is_sure
    from click_h2_elements
    union all
    select a.placement_id, m.is_sure
    from lake.placement_ancestors as a
    join click_h2_elements as m on m.placement_id = a.ancestor_id
)
, click_surely as (
    select distinct placement_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select placement_id
    from click_chain
    union
    select placement_id
    from click_cut
)
select placement_id from click_surely
-- $click_type = 'h2'

:root > body *

with click_any_elements as (
    -- :root
    select distinct e.element_id, true as is_sure
    from lake.elements as e
    where e.is_root
)
, click_body as (
    -- body
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_body_elements as (
    -- body
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_body as d on d.descriptor_id = e.descriptor_id
)
, click_body_in_any as (
    -- :root > body
    select element_id, max(is_sure) as is_sure
    from (
        select i.element_id, o.is_sure and i.is_sure as is_sure
        from click_body_elements as i
        join lake.elements as e on e.element_id = i.element_id
        join click_any_elements as o on o.element_id = e.parent_id
        where not e.is_shadow_child
        union all
        select i.element_id, false
        from click_body_elements as i
        join lake.elements as e on e.element_id = i.element_id
        where e.is_cut
    ) as found
    group by element_id
)
, click_any_elements_2 as (
    -- *
    select distinct e.element_id, true as is_sure
    from lake.elements as e
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_any_in_body as (
    -- :root > body *
    select element_id, max(is_sure) as is_sure
    from (
        select i.element_id, o.is_sure and i.is_sure as is_sure
        from lake.element_ancestors as a
        join click_any_elements_2 as i on i.element_id = a.element_id
        join click_body_in_any as o on o.element_id = a.ancestor_id
        where a.is_same_tree
        union all
        select i.element_id, false
        from click_any_elements_2 as i
        join click_cut as c on c.element_id = i.element_id
        where c.is_same_tree
    ) as found
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_any_in_body
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_any_in_body as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'body'

a:not([download], [rel~=nofollow])

with click_download as (
    -- [download]
    select distinct descriptor_id, true as is_sure
    from lake.descriptor_attributes
    where name = $click_name
)
, click_rel as (
    -- [rel~="nofollow"]
    select descriptor_id, max(contains(' ' || translate(value, $click_white_space, '    ') || ' ', $click_word) or (is_html and contains(' ' || translate(lower_value, $click_white_space, '    ') || ' ', $click_word))) as is_sure
    from lake.descriptor_attributes
    where name = $click_name_2
        and (
            contains(' ' || translate(value, $click_white_space, '    ') || ' ', $click_word) or (is_html and contains(' ' || translate(lower_value, $click_white_space, '    ') || ' ', $click_word))
            or is_partial
        )
    group by descriptor_id
)
, click_a as (
    -- a:not([download]):not([rel~="nofollow"])
    select distinct d.descriptor_id, not_click_download.descriptor_id is null and not_click_rel.descriptor_id is null as is_sure
    from lake.descriptor_types as d
    left join click_download as not_click_download on not_click_download.descriptor_id = d.descriptor_id
    left join click_rel as not_click_rel on not_click_rel.descriptor_id = d.descriptor_id
    where d.type_name = $click_type
        and not coalesce(not_click_download.is_sure, false)
        and not coalesce(not_click_rel.is_sure, false)
)
, click_a_elements as (
    -- a:not([download], [rel~="nofollow"])
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_a as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_a_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_a_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'a'
-- $click_name = 'download'
-- $click_name_2 = 'rel'
-- $click_white_space = '\t\n\x0c\r'
-- $click_word = ' nofollow '

[title^=""]

with click_title as (
    -- [title^=""]
    select descriptor_id, true as is_sure
    from lake.descriptor_attributes
    where false
)
, click_title_elements as (
    -- [title^=""]
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_title as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_title_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_title_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely

h2 + p

with click_h2 as (
    -- h2
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_h2_siblings as (
    -- previous siblings: h2
    select s.placement_id, s.distance, s.distance as furthest, d.is_sure
    from lake.placement_siblings as s
    join click_h2 as d on d.descriptor_id = s.sibling_descriptor_id
    union all
    select s.placement_id, s.distance, s.furthest, s.is_own_type
    from lake.uncaptured_siblings as s
    left join click_h2 as own on own.descriptor_id = s.descriptor_id
    where own.descriptor_id is not null or not s.is_own_type
)
, click_p as (
    -- p
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type_2
)
, click_p_elements as (
    -- p
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_p as d on d.descriptor_id = e.descriptor_id
)
, click_p_next_to_h2 as (
    -- h2 + p
    select i.placement_id, max(o.is_sure and i.is_sure) as is_sure
    from click_p_elements as i
    join click_h2_siblings as o on o.placement_id = i.placement_id and o.distance = 1
    group by i.placement_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select placement_id, max(is_same_tree) as is_same_tree
    from (
        select placement_id, true as is_same_tree
        from lake.placed
        where is_cut
        union all
        select a.placement_id, a.is_same_tree
        from lake.placement_ancestors as a
        join lake.placed as e on e.placement_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by placement_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select placement_id, is_sure
    from click_p_next_to_h2
    union all
    select a.placement_id, m.is_sure
    from lake.placement_ancestors as a
    join click_p_next_to_h2 as m on m.placement_id = a.ancestor_id
)
, click_surely as (
    select distinct placement_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select placement_id
    from click_chain
    union
    select placement_id
    from click_cut
)
select placement_id from click_surely
-- $click_type = 'h2'
-- $click_type_2 = 'p'

ul > li.active ~ li:nth-of-type(2n)

with click_ul as (
    -- ul
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_ul_elements as (
    -- ul
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_ul as d on d.descriptor_id = e.descriptor_id
)
, click_active as (
    -- .active
    select descriptor_id, max(class_name is not null) as is_sure
    from lake.descriptor_classes
    where class_name = $click_class or class_name is null
    group by descriptor_id
)
, click_li as (
    -- li.active
    select distinct d.descriptor_id, click_active.is_sure
    from lake.descriptor_types as d
    join click_active on click_active.descriptor_id = d.descriptor_id
    where d.type_name = $click_type_2
)
, click_li_2 as (
    -- li
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type_2
)
, click_li_siblings as (
    -- previous siblings: li.active
    select s.placement_id, s.distance, s.distance as furthest, d.is_sure
    from lake.placement_siblings as s
    join click_li as d on d.descriptor_id = s.sibling_descriptor_id
    union all
    select s.placement_id, s.distance, s.furthest, false
    from lake.uncaptured_siblings as s
    left join click_li_2 as own on own.descriptor_id = s.descriptor_id
    where own.descriptor_id is not null or not s.is_own_type
)
, click_li_in_ul_siblings as (
    -- ul > li.active
    select placement_id, distance, furthest, max(is_sure) as is_sure
    from (
        select i.placement_id, i.distance, i.furthest, o.is_sure and i.is_sure as is_sure
        from click_li_siblings as i
        join lake.placed as e on e.placement_id = i.placement_id
        join click_ul_elements as o on o.placement_id = e.parent_placement_id
        where not e.is_shadow_child
        union all
        select i.placement_id, i.distance, i.furthest, false
        from click_li_siblings as i
        join lake.placed as e on e.placement_id = i.placement_id
        where e.is_cut
    ) as found
    group by placement_id, distance, furthest
)
, click_li_elements as (
    -- li:nth-of-type(2n)
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_li_2 as d on d.descriptor_id = e.descriptor_id
    where e.type_index >= 0 and (e.type_index - 0) % 2 = 0
)
, click_li_after_li as (
    -- ul > li.active ~ li:nth-of-type(2n)
    select i.placement_id, max(o.is_sure and i.is_sure) as is_sure
    from click_li_elements as i
    join click_li_in_ul_siblings as o on o.placement_id = i.placement_id
    group by i.placement_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select placement_id, max(is_same_tree) as is_same_tree
    from (
        select placement_id, true as is_same_tree
        from lake.placed
        where is_cut
        union all
        select a.placement_id, a.is_same_tree
        from lake.placement_ancestors as a
        join lake.placed as e on e.placement_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by placement_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select placement_id, is_sure
    from click_li_after_li
    union all
    select a.placement_id, m.is_sure
    from lake.placement_ancestors as a
    join click_li_after_li as m on m.placement_id = a.ancestor_id
)
, click_surely as (
    select distinct placement_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select placement_id
    from click_chain
    union
    select placement_id
    from click_cut
)
select placement_id from click_surely
-- $click_type = 'ul'
-- $click_type_2 = 'li'
-- $click_class = 'active'

li:first-child + li ~ a

with click_li as (
    -- li
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type
)
, click_li_siblings as (
    -- previous siblings: li
    select s.placement_id, s.distance, s.distance as furthest, d.is_sure
    from lake.placement_siblings as s
    join click_li as d on d.descriptor_id = s.sibling_descriptor_id
    union all
    select s.placement_id, s.distance, s.furthest, s.is_own_type
    from lake.uncaptured_siblings as s
    left join click_li as own on own.descriptor_id = s.descriptor_id
    where own.descriptor_id is not null or not s.is_own_type
)
, click_li_siblings_2 as (
    -- li:first-child
    select distinct s.placement_id, s.distance, s.furthest, s.is_sure and s.distance = s.furthest as is_sure
    from click_li_siblings as s
    join lake.placed as e on e.placement_id = s.placement_id
    where 1 between e.sibling_index - s.furthest and e.sibling_index - s.distance
)
, click_li_next_to_li_siblings as (
    -- li:first-child + li
    select placement_id, distance, furthest, max(is_sure) as is_sure
    from (
        select i.placement_id, i.distance, i.furthest, o.is_sure and i.is_sure and i.distance = i.furthest as is_sure
        from click_li_siblings as i
        join click_li_siblings_2 as o on o.placement_id = i.placement_id and o.distance = i.furthest + 1
        union all
        select i.placement_id, i.distance, i.furthest, false
        from click_li_siblings as i
        join click_li_siblings_2 as o on o.placement_id = i.placement_id and o.distance = i.distance
        where i.distance < i.furthest
    ) as found
    group by placement_id, distance, furthest
)
, click_a as (
    -- a
    select distinct d.descriptor_id, true as is_sure
    from lake.descriptor_types as d
    where d.type_name = $click_type_2
)
, click_a_elements as (
    -- a
    select distinct e.placement_id, d.is_sure
    from lake.placed as e
    join click_a as d on d.descriptor_id = e.descriptor_id
)
, click_a_after_li as (
    -- li:first-child + li ~ a
    select i.placement_id, max(o.is_sure and i.is_sure) as is_sure
    from click_a_elements as i
    join click_li_next_to_li_siblings as o on o.placement_id = i.placement_id
    group by i.placement_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select placement_id, max(is_same_tree) as is_same_tree
    from (
        select placement_id, true as is_same_tree
        from lake.placed
        where is_cut
        union all
        select a.placement_id, a.is_same_tree
        from lake.placement_ancestors as a
        join lake.placed as e on e.placement_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by placement_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select placement_id, is_sure
    from click_a_after_li
    union all
    select a.placement_id, m.is_sure
    from lake.placement_ancestors as a
    join click_a_after_li as m on m.placement_id = a.ancestor_id
)
, click_surely as (
    select distinct placement_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select placement_id
    from click_chain
    union
    select placement_id
    from click_cut
)
select placement_id from click_surely
-- $click_type = 'li'
-- $click_type_2 = 'a'

button:enabled

with click_enabled as (
    -- :enabled
    select distinct descriptor_id, tag in ('input', 'select', 'textarea', 'button', 'option', 'optgroup', 'fieldset') as is_sure
    from lake.descriptors
    where namespace = 'html'
        and (
            (not is_disabled and tag in ('input', 'select', 'textarea', 'button', 'option', 'optgroup', 'fieldset'))
            or (not is_disabled and contains(tag, '-'))
        )
)
, click_button as (
    -- button:enabled
    select distinct d.descriptor_id, click_enabled.is_sure
    from lake.descriptor_types as d
    join click_enabled on click_enabled.descriptor_id = d.descriptor_id
    where d.type_name = $click_type
)
, click_button_elements as (
    -- button:enabled
    select distinct e.element_id, d.is_sure
    from lake.elements as e
    join click_button as d on d.descriptor_id = e.descriptor_id
)
, click_cut as (
    -- not every ancestor was captured: above the element's own tree, or in it
    select element_id, max(is_same_tree) as is_same_tree
    from (
        select element_id, true as is_same_tree
        from lake.elements
        where is_cut
        union all
        select a.element_id, a.is_same_tree
        from lake.element_ancestors as a
        join lake.elements as e on e.element_id = a.ancestor_id
        where e.is_cut
    ) as cut
    group by element_id
)
, click_chain as (
    -- targets: what matches, and everything inside it
    select element_id, is_sure
    from click_button_elements
    union all
    select a.element_id, m.is_sure
    from lake.element_ancestors as a
    join click_button_elements as m on m.element_id = a.ancestor_id
)
, click_surely as (
    select distinct element_id
    from click_chain
    where is_sure
)
, click_possibly as (
    select element_id
    from click_chain
    union
    select element_id
    from click_cut
)
select element_id from click_surely
-- $click_type = 'button'
