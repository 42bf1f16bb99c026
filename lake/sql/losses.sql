-- The loss meter (docs/rules.md 7): what pages counted and the lake does not hold.
--
-- A page numbers its events from 1. Its own leave is no proof of what its last number is, because it may come back from the
-- browser's memory. A later batch of its browser is, as far as that batch: it carries the last numbers of the pages that are
-- left. A page of which none tells may have had more: at least the numbers up to the latest one were there. Full mode numbers the pages of a browser as well, so pages between
-- two known ones are known to be missing, each with one event at least: its view.

-- The latest that each browser said of each of its pages; `last_seq` is zero of one that is open again.
create or replace view lake.told_pages as
select
    site
    , device_id
    , page_ordinal
    , max_by(coalesce(last_seq, 0), (told_at, coalesce(last_seq, 0))) as last_seq
    , max(last_seq) as most_seq
    , max(told_at) as told_at
    , min(told_at) filter (where last_seq is not null) as left_at
from lake.page_counts
group by site, device_id, page_ordinal;

create or replace view lake.names_of_devices as
select device_id, min(device) as device
from lake.devices
group by device_id;

-- When a UUIDv7 was drawn; null for other ids.
create or replace macro lake.drawn_at(id) as
    case when id[15] = '7' then make_timestamptz(
        try_cast('0x' || replace(id[:13], '-', '') as bigint) * 1000
    ) end;

create or replace view losses as
with pages as materialized (
    select
        site
        , page_id
        , max_by(device_id, page_seq) as device_id
        -- A page keeps its ordinal when `reset` or a new consent gives it another device, which never drew that number.
        , min_by(device_id, page_seq) filter (where page_ordinal > 0) as numbered_for
        , max(page_ordinal) as page_ordinal
        , min_by(host, page_seq) as host
        , min_by(path, page_seq) as path
        , min(time) as began_at
        , min(page_seq)::bigint as first_seen
        , max(page_seq)::bigint as seen
        , count(distinct page_seq) as received
        , bool_or(is_bot) as is_bot
        , bool_or(is_internal) as is_internal
        , min_by(environment, page_seq) as environment
    from lake.events
    -- Nobody knows how much there once was of history that was imported.
    where source = 'browser' and page_seq > 0 and not imported
    group by site, page_id
)
, numbered as materialized (
    select
        site
        , numbered_for as device_id
        , page_ordinal
        , min(page_id) as page_id
        , min(began_at) as began_at
        , count(*) as pages
        , bool_or(is_bot) as is_bot
        , bool_or(is_internal) as is_internal
        , max(environment) as environment
    from pages
    where numbered_for is not null
    group by site, numbered_for, page_ordinal
)
, browsers as (
    select
        site
        , device_id
        , min(page_ordinal) as first_ordinal
        , bool_or(is_bot) as is_bot
        , bool_or(is_internal) as is_internal
        , max_by(environment, page_ordinal) as environment
    from numbered
    group by site, device_id
)
, sites as (
    select site, min(began_at) as began_at
    from pages
    group by site
)
-- Old events are removed up to a midnight: how many there were of a page that was open at it, nobody knows. Ids of pages
-- begin with the time of their load.
, cut as (
    select pages.page_id, pages.site, pages.first_seen - 1 as unknown
    from pages
    join sites using (site)
    where pages.first_seen > 1
        and (lake.drawn_at(pages.page_id) at time zone 'UTC')::date < (sites.began_at at time zone 'UTC')::date
)
-- The pages that are here, under each device that they may have been told of.
, here as (
    select site, numbered_for as device_id, page_ordinal from pages
    union
    select site, device_id, page_ordinal from pages
)
-- Pages of which nothing arrived, but a later batch says what there was.
, lost as materialized (
    select told.*
    from lake.told_pages as told
    anti join here using (site, device_id, page_ordinal)
    left join lake.names_of_devices as names using (device_id)
    left join browsers using (site, device_id)
    left join sites using (site)
    where told.most_seq is not null
        -- Old events are removed. Of a browser from before the first of those that are kept, a page without a known
        -- one before it may have been here once. Ids of browsers begin with the time at which they were drawn.
        and (
            browsers.first_ordinal < told.page_ordinal
            or coalesce(lake.drawn_at(names.device) >= sites.began_at - interval 1 day, true)
        )
)
, neighbours as (
    select
        numbered.*
        , lag(page_ordinal) over in_order as previous_ordinal
        , lag(page_id) over in_order as previous_page_id
    from numbered
    window in_order as (partition by site, device_id order by page_ordinal)
)
-- One row for a whole gap: a forged ordinal must not become millions of rows.
, gaps as (
    select
        neighbours.site
        , neighbours.device_id
        , neighbours.previous_ordinal + 1 as page_ordinal
        , neighbours.began_at
        , neighbours.page_ordinal - neighbours.previous_ordinal - 1 - count(lost.page_ordinal) as missing_pages
    from neighbours
    left join lost
        on lost.site = neighbours.site
        and lost.device_id = neighbours.device_id
        and lost.page_ordinal > neighbours.previous_ordinal
        and lost.page_ordinal < neighbours.page_ordinal
    -- Ids of pages begin with the time of their load. A number that came out of its turn proves nothing.
    where neighbours.page_ordinal > neighbours.previous_ordinal + 1
        and neighbours.page_id > neighbours.previous_page_id
    group by
        neighbours.site
        , neighbours.device_id
        , neighbours.previous_ordinal
        , neighbours.page_ordinal
        , neighbours.began_at
)
, losses_of_pages as (
    select
        pages.site
        , pages.device_id
        , pages.page_id
        , pages.page_ordinal
        , pages.host
        , pages.path
        , pages.began_at
        , greatest(pages.seen, coalesce(told.last_seq, 0)) - coalesce(cut.unknown, 0) as expected
        , pages.received
        , case
            when cut.unknown is not null then false
            -- Zero where it was said to be open again: what it did then, nobody knows.
            else coalesce(told.last_seq >= pages.seen, false)
        end as is_exact
        , 0 as missing_pages
        , pages.is_bot
        , pages.is_internal
        , pages.environment
    from pages
    -- Two tabs that open at the same moment can draw one number: then nobody knows whose count it is.
    left join numbered
        on numbered.site = pages.site
        and numbered.device_id = pages.numbered_for
        and numbered.page_ordinal = pages.page_ordinal
        and numbered.pages = 1
    -- What was said before a page began was said of another one.
    left join lake.told_pages as told
        on told.site = numbered.site
        and told.device_id = numbered.device_id
        and told.page_ordinal = numbered.page_ordinal
        and told.told_at >= pages.began_at
    left join cut on cut.site = pages.site and cut.page_id = pages.page_id

    union all

    select
        lost.site
        , lost.device_id
        , null as page_id
        , lost.page_ordinal
        , null as host
        , null as path
        , lost.left_at as began_at
        , lost.most_seq as expected
        , 0 as received
        , lost.last_seq > 0 as is_exact
        , 1 as missing_pages
        , coalesce(browsers.is_bot, false) as is_bot
        , coalesce(browsers.is_internal, false) as is_internal
        , coalesce(browsers.environment, 'production') as environment
    from lost
    left join browsers on browsers.site = lost.site and browsers.device_id = lost.device_id

    union all

    select
        gaps.site
        , gaps.device_id
        , null as page_id
        , gaps.page_ordinal
        , null as host
        , null as path
        , gaps.began_at
        , gaps.missing_pages as expected
        , 0 as received
        , false as is_exact
        , gaps.missing_pages
        , browsers.is_bot
        , browsers.is_internal
        , browsers.environment
    from gaps
    join browsers on browsers.site = gaps.site and browsers.device_id = gaps.device_id
    where gaps.missing_pages > 0
)
select
    losses_of_pages.site
    , names.device
    , losses_of_pages.device_id
    , losses_of_pages.page_id
    , losses_of_pages.page_ordinal
    , losses_of_pages.host
    , losses_of_pages.path
    , losses_of_pages.began_at
    , (losses_of_pages.began_at at time zone 'UTC')::date as day
    , losses_of_pages.expected
    , losses_of_pages.received
    , losses_of_pages.expected - losses_of_pages.received as missing
    , losses_of_pages.is_exact
    , losses_of_pages.missing_pages
    , losses_of_pages.is_bot
    , losses_of_pages.is_internal
    , losses_of_pages.environment
from losses_of_pages
left join lake.names_of_devices as names on names.device_id = losses_of_pages.device_id;
