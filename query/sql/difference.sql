{# Which events change sides between two definitions: the first and the second step of `matched`.

   An event of which either says "unknown" is unknown; one that neither has is not here. #}
create or replace temp table compared as
with
answers as (
    select
        event_id
        , any_value(moment) as moment
        , any_value(person_id) as person_id
        , any_value(type) as type
        , any_value(coalesce(label, text, name)) as said
        , any_value(path) as path
        , any_value(coalesce(placement_id, element_id)) as placement_id
        , coalesce(bool_or(is_sure) filter (where step = 1), false) as is_old
        , coalesce(bool_or(is_sure) filter (where step = 2), false) as is_new
        , bool_or(not is_sure) as is_unknown
    from matched
    where left_out is null
    group by event_id
)
select
    *
    , case
        when is_unknown then 'unknown'
        when is_old and is_new then 'both'
        when is_old then 'only_old'
        else 'only_new'
    end as side
from answers
;

select side, count(*) as events, count(distinct person_id) as people, min(moment) as first, max(moment) as last
from compared
group by side
;
