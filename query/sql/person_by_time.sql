{# Whose the rows of `rows` are, by time alone. What is not clear so is marked: of devices that several users had, or where
   `decides` at the very moment of a login.

   has_merges  whether users are joined with others
   decides     whether the time decides here whose a row of such a device is #}
people as (
    select
        rows.*
{% if has_merges %}
        , coalesce(joined.person_id, rows.own_user_id, logins.person_id, rows.device_id) as person_id
{% else %}
        , coalesce(rows.own_user_id, logins.person_id, rows.device_id) as person_id
{% endif %}
        , coalesce(rows.own_user_id, logins.device_id) is not null as is_user
{% if decides %}
        , rows.own_user_id is null and coalesce(rows.moment = logins.begins, false) as is_unclear
{% else %}
        , rows.own_user_id is null and logins.device_id is not null and logins.person_id is null as is_unclear
{% endif %}
    from rows
{% if decides %}
    left join lake.login_moments as logins
        on logins.device_id = rows.device_id
        and (logins.begins is null or rows.moment >= logins.begins)
        and (logins.ends is null or rows.moment < logins.ends)
{% else %}
    left join lake.owners as logins on logins.device_id = rows.device_id
{% endif %}
{% if has_merges %}
    left join lake.joined_users as joined on joined.user_id = rows.own_user_id
{% endif %}
)
