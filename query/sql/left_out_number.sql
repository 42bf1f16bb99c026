{# The number of what left_out.sql says: 0 for what counts. #}
case
            when e.is_bot and not $count_bots then 1
            when e.is_internal and not $count_internal then 2
            when not list_contains($environments, e.environment) then 3
            else 0
        end
