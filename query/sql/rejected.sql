{# What could not be stored, by the kind of reason and the latest one by one. Of frames that nobody can read nobody
   knows the site, so that they are listed with every site.

   has_kind   whether one kind of reason is asked for
   $kind      which
   $most      how many are listed #}
create or replace temp table set_aside as
select * from rejected
where site in ($site, '')
{% if has_kind %}
    and kind = $kind
{% endif %}
;

select kind, count(*) as count, max(received_at) as latest_at
from set_aside
group by kind
order by count desc, kind
;
