{# On which days and in which releases ids and classes were there: births and deaths of words, by what happened on or
   inside what had them.

   $classes, $ids  the words
   $since          events from here on #}
with
tokens as (
    select descriptor_id, '.' || class_name as token
    from lake.descriptor_classes
    where list_contains($classes, class_name)
    union
    select descriptor_id, '#' || dom_id
    from lake.descriptor_ids
    where list_contains($ids, dom_id)
),
wearing as (
    select elements.element_id, tokens.token
    from lake.elements as elements
    join tokens on tokens.descriptor_id = elements.descriptor_id
    union
    select ancestors.element_id, tokens.token
    from lake.element_ancestors as ancestors
    join lake.elements as elements on elements.element_id = ancestors.ancestor_id
    join tokens on tokens.descriptor_id = elements.descriptor_id
),
counted as (
    select element_id, host, path, release, day
    from (
        select
            e.element_id
            , e.host
            , e.path
            , coalesce(e.release, '') as release
            , cast(timezone($time_zone, e.time) as date) as day
            , {% include "left_out.sql" %} as left_out
        from lake.events as e
        where e.site = $site
            and e.element_id is not null
            and e.time >= $since
    ) as events
    where left_out is null
),
builds as (
    select distinct host, path, release
    from counted
),
seen as (
    select element_id, host, path, release, day, count(*) as events
    from counted
    where element_id in (select element_id from wearing)
    group by element_id, host, path, release, day
),
sightings as (
    select wearing.token, seen.host, seen.path, seen.release, seen.day, sum(seen.events) as events
    from wearing
    join seen on seen.element_id = wearing.element_id
    group by wearing.token, seen.host, seen.path, seen.release, seen.day
),
pages as (
    select sightings.token, count(distinct builds.release) as releases
    from (select distinct token, host, path from sightings) as sightings
    join builds on builds.host is not distinct from sightings.host and builds.path is not distinct from sightings.path
    group by sightings.token
)
select
    sightings.token
    , cast(sum(sightings.events) as bigint) as events
    , count(distinct sightings.day) as days
    , count(distinct sightings.release) as releases
    , any_value(pages.releases) as page_releases
    , date_diff('day', min(sightings.day), max(sightings.day)) + 1 as span_days
from sightings
join pages on pages.token = sightings.token
group by sightings.token
;
