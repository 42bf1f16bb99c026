{# The devices that a person ever had, as `asked_devices`.

   $users   the users that are this person
   $person  the person, who is a device where there is no user #}
create or replace temp table asked_devices as
select device_id from lake.logins where list_contains($users, user_id)
union
select $person as device_id
;
