{# What the units of `chosen` are called: those that a site has named. `named` is their kind. #}
names as (
{% if named == "device" %}
    select device_id as unit_id, min(device) as name
    from lake.devices
    where device_id in (select unit_id from chosen)
    group by device_id
{% elif named == "group" %}
    select group_id as unit_id, min("group") as name
    from lake.groups
    where group_id in (select unit_id from chosen)
    group by group_id
{% elif named == "session" %}
    select cast(null as bigint) as unit_id, cast(null as varchar) as name
{% else %}
    select user_id as unit_id, min("user") as name
    from lake.users
    where user_id in (select unit_id from chosen)
    group by user_id
{% endif %}
)
