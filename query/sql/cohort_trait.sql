{# The people whose trait is as asked by now.

   trait      the value that holds the trait's name
   condition  what its value has to be: on a row `e` whose `properties` hold it as `value` #}
select e.person_id
from (
    select
        coalesce(joined.person_id, traits.subject_id) as person_id
        , '{"value":' || arg_max(
            traits.value, row(traits.at, traits.page_id, traits.page_seq, traits.event_id)
        ) || '}' as properties
    from lake.traits as traits
    left join lake.joined_users as joined on joined.user_id = traits.subject_id
    where traits.site = $site
        and traits.subject_kind = 'user'
        and traits.name = {{ trait }}
        and epoch_us(traits.at) <= $now_at
    group by 1
) as e
where {{ condition }}
