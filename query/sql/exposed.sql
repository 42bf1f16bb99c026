{# The units that were exposed to a flag: the variation of their first exposure ever, and where it lies in their order.

   `view_event_id` is the page view of the document or SPA route on which it happened: it counts as after the exposure,
   and happened at `viewed_at`.

   events   the relation of events, if it is not that of the lake #}
create or replace temp table exposed as
with
variations as (
    select unit_id, count(distinct variation) as variations
    from exposures
    group by unit_id
),
views as (
    select page_view.page_id, page_view.event_id, page_view.page_seq, page_view.time
    from {{ events | default(lake_events) }} as page_view
    where page_view.site = $site
        and page_view.type = 'page_view'
        and page_view.page_id in (select page_id from exposures where exposure = 1)
        -- Imported events have the zero id: it says that their document is not known, and all visitors share it.
        and page_view.page_id != '00000000-0000-0000-0000-000000000000'
),
exposure_views as (
    select exposures.unit_id, arg_max(views.event_id, views.page_seq) as view_event_id, arg_max(views.time, views.page_seq) as viewed_at
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
    , exposure_views.viewed_at
from exposures
join variations on variations.unit_id = exposures.unit_id
left join exposure_views on exposure_views.unit_id = exposures.unit_id
where exposures.exposure = 1
;
