{# The flags that exposures name: how many people each variation has, by first exposure and by any; first, in the
   relation `reported`, every exposure with why it is not counted. #}
create or replace temp table reported as
with
matches as (
    select
        e.event_id, e.time, e.page_id, e.page_seq, e.device_id
        -- A server's event belongs to the user it names.
        , case when e.source = 'server' then e.user_id end as own_user_id
        , {% include "left_out.sql" %} as left_out
        , e.flag
        , coalesce(e.variation, '') as variation
    from lake.events as e
    where e.site = $site
        and e.type = 'exposure'
        and e.flag is not null
),
{% include "persons.sql" %}
select event_id, time, page_id, page_seq, person_id, left_out, flag, variation
from matches_of_people
;

with
exposures as (
    select
        flag, variation, person_id, time
        , row_number() over (
            partition by flag, person_id order by time, page_id, page_seq, event_id
        ) as exposure
    from reported
    where left_out is null and person_id is not null
),
several as (
    select flag, count(*) filter (where variations > 1) as several, count(*) as people
    from (
        select flag, person_id, count(distinct variation) as variations
        from exposures
        group by flag, person_id
    ) as variations_of_people
    group by flag
)
select
    exposures.flag
    , any_value(several.people) as people
    , any_value(several.several) as several
    , exposures.variation
    , count(*) filter (where exposure = 1) as first_people
    , count(distinct person_id) as exposed
    , count(*) as exposures
    , epoch_us(min(time)) as first_seen
    , epoch_us(max(time)) as last_seen
from exposures
join several on several.flag = exposures.flag
group by exposures.flag, exposures.variation
order by exposures.flag, exposures.variation
;
