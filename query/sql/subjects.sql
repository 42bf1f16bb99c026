{# Which of some elements and placements a selector surely matches themselves: the subject of an event is the first of
   its chain that is one.

   relations  those of the selectors
   $places    which elements and placements #}
{% for relation in relations %}
{% if not loop.first %}
union all
{% endif %}
select {{ loop.index0 }} as selector, place_id
from {{ relation }}
where is_subject and list_contains($places, place_id)
{% endfor %}
;
