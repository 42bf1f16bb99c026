{# How many people each suggested definition would give a name to. A person on several of its elements counts once.

   $elements, $types, $texts, $numbers  which group an element with these words belongs to #}
with
groups as (
    select
        unnest($elements) as element_id
        , unnest($types) as type
        , unnest($texts) as said
        , unnest($numbers) as number
)
select
    groups.number
    , count(*) as events
    , count(distinct unnamed.person_id) as people
    , count(*) filter (where unnamed.is_unknown) as unknown
    , epoch_us(max(unnamed.time)) as last_seen
    , arg_max(unnamed.event_id, (unnamed.time, unnamed.page_id, unnamed.page_seq, unnamed.event_id)) as event_id
    , mode(unnamed.path) as path
    , count(distinct unnamed.path) as pages
from unnamed
join groups
    on groups.element_id = unnamed.element_id
    and groups.type = unnamed.type
    and groups.said = unnamed.said
where unnamed.left_out is null
group by groups.number
order by people desc, events desc, groups.number
;
