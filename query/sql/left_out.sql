{# Why an event is not counted; null if it is. #}
case
            when e.is_bot and not $count_bots then 'bots'
            when e.is_internal and not $count_internal then 'internal'
            when e.environment <> $environment then 'environment'
        end
