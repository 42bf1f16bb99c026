{# What each candidate gathered of the thing that is meant, and of others.

   The same thing is what most of what is known of it agrees on: its id, its name, its classes, its text, its place each
   have a say, which weighs the less the more things share it.

   $selectors, $kinds, $weights, $needs_text  the candidates in order: the number of their selector, what they rest on,
                                              their say, whether they ask for the text
   $page                                      host and path of the event #}
with
candidates as (
    select
        unnest(range(len($selectors))) as candidate
        , unnest($selectors) as selector
        , unnest($kinds) as kind
        , unnest($weights) as weight
        , unnest($needs_text) as needs_text
),
hits as (
    select candidates.candidate, candidates.kind, candidates.weight, happened.*
    from gathered
    join candidates on candidates.selector = gathered.selector
    join happened on happened.sighting = gathered.sighting
    where happened.is_said or not candidates.needs_text
),
rarities as (
    select candidate, any_value(kind) as kind, any_value(weight) as weight, 1.0 / count(distinct thing) as rarity
    from hits
    group by candidate
),
kinds as (
    select kind, max(weight) as weight, max(rarity) as rarity
    from rarities
    where weight > 0
    group by kind
),
votes as (
    select hits.sighting, hits.kind, max(rarities.rarity) as rarity
    from hits
    join rarities on rarities.candidate = hits.candidate
    group by hits.sighting, hits.kind
),
same as (
    select votes.sighting
    from votes
    join kinds on kinds.kind = votes.kind
    group by votes.sighting
    having sum(kinds.weight * votes.rarity / kinds.rarity) >= 0.499 * (select sum(weight) from kinds)
),
judged as (
    select
        hits.candidate, hits.day, hits.release, hits.page, hits.thing, hits.events
        , same.sighting is not null as is_same
    from hits
    left join same on same.sighting = hits.sighting
    union all
    -- The thing itself, whatever found it, under the number -1.
    select -1, happened.day, happened.release, happened.page, happened.thing, happened.events, true
    from happened
    join same on same.sighting = happened.sighting
)
select
    candidate
    , cast(coalesce(sum(events) filter (where is_same), 0) as bigint) as same_events
    , count(distinct day) filter (where is_same) as same_days
    , count(distinct release) filter (where is_same) as same_releases
    , count(distinct thing) filter (where is_same) as same_things
    , cast(coalesce(sum(events) filter (where not is_same), 0) as bigint) as other_events
    , count(distinct thing) filter (where not is_same) as other_things
    , count(distinct thing) filter (where page = $page) as page_things
from judged
group by candidate
order by candidate
;
