{# What `past.sql` makes, from the facts of summaries: those that match, and where their moments are.

   match  the compiled definition, on rows of facts #}
create or replace temp table found_facts as
{% for expression in match.expressions() %}
{% if loop.first %}with
{% endif %}
{{ expression }}{% if not loop.last %},{% endif %}

{% endfor %}
select
    e.file_number
    , e.first_moment
    , e.events
    , e.last
    , case when e.source = 'server' then e.user_id end as own_user_id
    , {% include "verdict.sql" %} as verdict
    , e.type
    , e.element_id
    , e.placement_id
    , coalesce(e.label, e.text) as said
    , e.path
from facts as e
where e.site = $site
    and {{ match.possibly }}
;

