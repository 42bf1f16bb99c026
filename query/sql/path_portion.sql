{# The edges of the sessions in `matched`, put to those of other sessions: what paths.sql finds, but for what ranks them.

   Names stand once in `path_names`, so that an edge of a person is a few numbers; 0 is no name. The rest as in paths.sql. #}
{% include "path_anchors.sql" %}

create or replace temp table portion_edges as
with
{% include "path_edges.sql" %}

select edges.step, edges.source, edges.target, edges.is_end, anchors.person_id, count(*) as sessions
from edges
join anchors on anchors.unit_id = edges.unit_id
group by edges.step, edges.source, edges.target, edges.is_end, anchors.person_id
;

insert into path_names
select (select count(*) from path_names) + row_number() over () as name_id, name
from (
    select source as name from portion_edges
    union
    select target from portion_edges
) as names
where name is not null
    and not exists (select 1 from path_names as known where known.name = names.name)
;

insert into path_edges
select
    portion_edges.step
    , coalesce(sources.name_id, 0)
    , coalesce(targets.name_id, 0)
    , portion_edges.is_end
    , portion_edges.person_id
    , portion_edges.sessions
from portion_edges
left join path_names as sources on sources.name = portion_edges.source
left join path_names as targets on targets.name = portion_edges.target
;
