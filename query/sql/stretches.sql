{# Stretches: what a device did between two multiples of a length that is no longer than the gap. Events of one stretch are
   never further apart than the gap, so a session is made of whole stretches, of which there are far fewer than events.

   has_bounds    whether only events from $from_time on and before $until_time are read
   of_devices    the relation of those devices whose events are read, if not all are
   is_added      whether the stretches are put to those that were found before
   is_measured   whether what counts in them is counted as well

   $stretch   the length in microseconds: one of which a day is a multiple, so that no stretch lies in two days of UTC #}
{% if is_added %}
insert into stretches
{% else %}
create or replace temp table stretches as
{% endif %}
with
moments as (
    select
        e.device_id
        , epoch_us(e.time) as moment
{% if is_measured %}
        , {% include "left_out_number.sql" %} as left_out
        , e.type = 'page_view' as is_view
        , e.source = 'server' and e.user_id is not null as names_its_user
{% endif %}
    from lake.events as e
    where e.site = $site
        and e.device_id is not null
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
{% if of_devices %}
        and e.device_id in (select device_id from {{ of_devices }})
{% endif %}
)
select
    device_id
    , min(moment) as first_moment
    , max(moment) as last_moment
{% if is_measured %}
    , count(*) filter (where left_out = 0) as events
    , count(*) filter (where left_out = 0 and is_view) as page_views
    , min(case when left_out = 0 then moment end) as first_counted
    , count(*) filter (where names_its_user) as named
    , count(*) filter (where left_out = 1) as of_bots
    , count(*) filter (where left_out = 2) as internal
    , count(*) filter (where left_out = 3) as elsewhere
{% endif %}
from moments
group by device_id, floor(moment / $stretch)
;
