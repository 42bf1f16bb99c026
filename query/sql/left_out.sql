{# Why an event is not counted; null if it is. $environments is null when all count. #}
case
            when e.is_bot and not $count_bots then 'bots'
            when e.is_internal and not $count_internal then 'internal'
            when not list_contains($environments, e.environment) then 'environment'
        end
