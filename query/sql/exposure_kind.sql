{# The kind of group of an entry that counts after its unit's exposure (`is_exposed_only`) or does not.

   several   "exclude" makes a group of the units that saw several variations
   relation  the relation of the entries #}
case
        when exposed.unit_id is null then 'not exposed'
        when not {{ relation }}.is_exposed_only then 'before exposure'
{% if several == "exclude" %}
        when exposed.variations > 1 then 'several variations'
{% endif %}
        else 'variation'
    end
