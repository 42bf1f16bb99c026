{# One page of the sessions that are asked about, as `listed`, and of each what its first and last events say.

   order     "latest", "longest" or "most_events"
   columns   columns of the first event

   $limit, $offset   how many, and how many before them are passed over #}
create or replace temp table listed as
select
    shown.*
    , row_number() over (order by {% include "session_order.sql" %}) as place
from (
    select *
    from told
    order by {% include "session_order.sql" %}

    limit $limit
    offset $offset
) as shown
;

with
theirs as (
    select
        s.place
        , e.path, e.host
{% for column in columns %}
        , e.{{ column }}
{% endfor %}
        , row_number() over (
            partition by s.place order by e.time, e.page_id, e.page_seq, e.event_id
        ) as number
    from listed as s
{% include "session_joined.sql" %}
    where {% include "left_out_number.sql" %} = 0
),
ends as (
    select
        place
        , min(case when path is not null then number end) as first_page
        , max(case when path is not null then number end) as last_page
    from theirs
    group by place
),
said as (
    select
        theirs.place
        , max(case when number = first_page then host end) as host
        , max(case when number = first_page then path end) as entry_page
        , max(case when number = last_page then path end) as exit_page
{% for column in columns %}
        , max(case when number = 1 then {{ column }} end) as {{ column }}
{% endfor %}
    from theirs
    join ends on ends.place = theirs.place
    group by theirs.place
),
called as (
    select user_id as person_id, min("user") as name
    from lake.users
    where user_id in (select person_id from listed)
    group by user_id
),
devices as (
    select device_id, min(device) as device, bool_or(is_daily) as is_daily
    from lake.devices
    where device_id in (select device_id from listed)
    group by device_id
)
select
    listed.device_id, listed.began, listed.ended, listed.events, listed.page_views
    , listed.person_id, listed.is_user, called.name, devices.device, devices.is_daily
    , said.host, said.entry_page, said.exit_page
{% for column in columns %}
    , said.{{ column }}
{% endfor %}
from listed
join said on said.place = listed.place
left join called on called.person_id = listed.person_id
left join devices on devices.device_id = listed.device_id
order by listed.place
;
