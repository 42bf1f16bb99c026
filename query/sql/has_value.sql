{# Whether an event of a definition says the value of a breakdown, wherever it lies.

   source      `relation` of the events, and `match`, a compiled definition, on rows of that
   value       an expression over an event `e`
   has_bounds  whether $from_time and $until_time bound the events #}
{% set match = source.match %}
with
{% for expression in match.expressions() %}
{{ expression }},
{% endfor %}
said as (
    select 1
    from {{ source.relation }} as e
    where e.site = $site
{% if has_bounds %}
        and e.time >= $from_time
        and e.time < $until_time
{% endif %}
        and {{ match.possibly }}
        and {{ value }} is not null
    limit 1
)
select count(*) > 0 from said
