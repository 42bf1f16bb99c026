{# Whose the rows of `rows` are, as far as the device alone says. What is not clear so is marked: of devices that several
   users had.

   has_merges  whether users are joined with others #}
people as (
    select
        rows.*
{% if has_merges %}
        , coalesce(joined.person_id, rows.own_user_id, logins.person_id, rows.device_id) as person_id
{% else %}
        , coalesce(rows.own_user_id, logins.person_id, rows.device_id) as person_id
{% endif %}
        , coalesce(rows.own_user_id, logins.device_id) is not null as is_user
        , rows.own_user_id is null and logins.device_id is not null and logins.person_id is null as is_unclear
    from rows
    left join lake.owners as logins on logins.device_id = rows.device_id
{% if has_merges %}
    left join lake.joined_users as joined on joined.user_id = rows.own_user_id
{% endif %}
)
