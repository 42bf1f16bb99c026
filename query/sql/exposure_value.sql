{# The variation that names the group, null where none does; `exposure_kind.sql` says the kind.

   relation  the relation of the entries #}
case
        when exposed.unit_id is null or not {{ relation }}.is_exposed_only then null
{% if several == "exclude" %}
        when exposed.variations > 1 then null
{% endif %}
{% if several == "as_treated" %}
        else coalesce(treated.variation, exposed.variation)
{% else %}
        else exposed.variation
{% endif %}
    end
