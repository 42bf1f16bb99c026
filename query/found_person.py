"""Who is called so: the person of a user, of a device, or of an id."""

from __future__ import annotations

from expost.errors import UnknownName

from .reading import Reading, Row

_FIND = """
select id from (
    select 1 as rank, user_id as id from lake.users where site = $site and "user" = $id
    union all
    select 2, device_id from lake.devices where site = $site and device = $id
    union all
    select 3, user_id from lake.users where site = $site and user_id = try_cast($id as bigint)
    union all
    select 4, device_id from lake.devices where site = $site and device_id = try_cast($id as bigint)
) as found
order by rank limit 1;"""
# Of a device it is whoever is logged in on it last.
_OWNER = """
select coalesce(
    (select min(person_id) from lake.joined_users where user_id = $found),
    (select min(coalesce(joined.person_id, logins.user_id)) from lake.logins as logins
        left join lake.joined_users as joined on joined.user_id = logins.user_id
        where logins.device_id = $found and logins.ends_at is null),
    $found
);"""
_USERS = """
select user_id, min("user") from lake.users
where user_id = $person or user_id in (select user_id from lake.joined_users where person_id = $person)
group by user_id order by user_id <> $person, 2;"""


def find_person(reading: Reading, called: str) -> tuple[int, list[Row]]:
    """The person: of the user called so, else of the device, else of the `person_id`; and (id, name) of their users."""
    found = reading.execute(_FIND, {"id": called})
    if not found:
        raise UnknownName(
            "person", called, [], list_with="expost sql 'select person_id, \"user\" from people'"
        )
    [(person,)] = reading.execute(_OWNER, {"found": found[0][0]})
    return person, reading.execute(_USERS, {"person": person})
