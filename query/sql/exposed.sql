{# The units that were exposed to a flag: the variation of their first exposure ever, and where it lies in their order.

   `view_event_id` is the page view of the document or SPA route on which it happened: it counts as after the exposure.

   unit   what is counted if it is not the person

   $flag  the key of the flag #}
create or replace temp table exposures as
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , {% include "left_out.sql" %} as left_out
        , coalesce(e.variation, '') as variation
    from lake.events as e
    where e.site = $site
        and e.type = 'exposure'
        and e.flag = $flag
),
{% include "units.sql" %},
exposures_of_units as (
    select
        {% if unit %}unit_id{% else %}person_id as unit_id{% endif %}

        , variation, time, page_id, page_seq, event_id, left_out
    from matches_of_units
)
select
    unit_id, variation, time, page_id, page_seq, event_id
    , row_number() over (partition by unit_id order by time, page_id, page_seq, event_id) as exposure
from exposures_of_units
where left_out is null and unit_id is not null
;

create or replace temp table exposed as
with
variations as (
    select unit_id, count(distinct variation) as variations
    from exposures
    group by unit_id
),
views as (
    select page_view.page_id, page_view.event_id, page_view.page_seq
    from lake.events as page_view
    where page_view.site = $site
        and page_view.type = 'page_view'
        and page_view.page_id in (select page_id from exposures where exposure = 1)
),
exposure_views as (
    select exposures.unit_id, arg_max(views.event_id, views.page_seq) as view_event_id
    from exposures
    join views on views.page_id = exposures.page_id
    where exposures.exposure = 1
        and views.page_seq < exposures.page_seq
    group by exposures.unit_id
)
select
    exposures.unit_id
    , exposures.variation
    , variations.variations
    , exposures.time
    , exposures.page_id
    , exposures.page_seq
    , exposures.event_id
    , exposure_views.view_event_id
from exposures
join variations on variations.unit_id = exposures.unit_id
left join exposure_views on exposure_views.unit_id = exposures.unit_id
where exposures.exposure = 1
;
