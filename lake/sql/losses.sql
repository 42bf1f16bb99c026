-- The loss meter (SEMANTICS 7): what pages counted and the lake does not hold.
--
-- A page numbers its events from 1, and its leave has the last number. So a page whose latest known event is a leave is
-- known exactly; of any other at least the numbers up to the latest one were there. Full mode numbers the pages of a
-- browser as well, so pages between two known ones are known to be missing, each with one event at least: its view.

create or replace view losses as
with pages as (
    select
        site
        , page_id
        , max_by(device_id, page_seq) as device_id
        -- A page keeps its ordinal when `reset` or a new consent gives it another device, which never drew that number.
        , min_by(device_id, page_seq) filter (where page_ordinal > 0) as numbered_for
        , max(page_ordinal) as page_ordinal
        , min_by(host, page_seq) as host
        , min_by(path, page_seq) as path
        , (min(time) at time zone 'UTC')::date as day
        , max(page_seq)::bigint as expected
        , count(distinct page_seq) as received
        , max_by(type, page_seq) = 'page_leave' as is_exact
    from lake.events
    -- Nobody knows how much there once was of history that was imported.
    where source = 'browser' and page_seq > 0 and not imported
    group by site, page_id
)
, ordinals as (
    select
        site
        , numbered_for as device_id
        , page_ordinal
        , min(page_id) as page_id
        , min(day) as day
    from pages
    where numbered_for is not null
    group by site, numbered_for, page_ordinal
)
, neighbours as (
    select
        ordinals.*
        , lag(page_ordinal) over numbered as previous_ordinal
        , lag(page_id) over numbered as previous_page_id
    from ordinals
    window numbered as (partition by site, device_id order by page_ordinal)
)
, losses_of_pages as (
    select
        site
        , device_id
        , page_id
        , page_ordinal
        , host
        , path
        , day
        , expected
        , received
        , is_exact
        , 0 as missing_pages
    from pages

    union all

    -- One row for a whole gap: a forged ordinal must not become millions of rows.
    select
        site
        , device_id
        , null as page_id
        , previous_ordinal + 1 as page_ordinal
        , null as host
        , null as path
        , day
        , page_ordinal - previous_ordinal - 1 as expected
        , 0 as received
        , false as is_exact
        , page_ordinal - previous_ordinal - 1 as missing_pages
    from neighbours
    -- Ids of pages begin with the time of their load. A number that came out of its turn proves nothing.
    where page_ordinal > previous_ordinal + 1 and page_id > previous_page_id
)
select
    losses_of_pages.site
    , names.device
    , losses_of_pages.device_id
    , losses_of_pages.page_id
    , losses_of_pages.page_ordinal
    , losses_of_pages.host
    , losses_of_pages.path
    , losses_of_pages.day
    , losses_of_pages.expected
    , losses_of_pages.received
    , losses_of_pages.expected - losses_of_pages.received as missing
    , losses_of_pages.is_exact
    , losses_of_pages.missing_pages
from losses_of_pages
left join (
    select device_id, min(device) as device
    from lake.devices
    group by device_id
) as names on names.device_id = losses_of_pages.device_id;
