{# The rows of paths.sql, from `path_told` and `path_people`. #}
with
people as (
    select step, is_end, place, sum(people) as people
    from path_people
    group by step, is_end, place
),
named as (
    select
        told.step
        , case
            when told.is_end and told.place > 0 then 'end'
            when told.is_end then 'other ends'
            when told.place > 0 then 'step'
            else 'other'
        end as kind
        , told.source_name as source
        , told.target_name as target
        , told.sessions
        , people.people
    from path_told as told
    join people
        on people.step = told.step
        and people.is_end = told.is_end
        and people.place = told.place
)
select step, kind, source, target, cast(sessions as bigint) as sessions, cast(people as bigint) as people
from named
order by step, kind like 'other%', sessions desc, kind, source, target
;
