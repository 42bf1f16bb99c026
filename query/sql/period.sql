{# The number of the local day, week or month of `moment`. The 5th of January 1970 was a Monday. #}
{% if period == "week" %}
cast(floor((date_diff(
        'day', date '1970-01-05', cast(timezone($time_zone, timezone('UTC', make_timestamp(moment))) as date)
    ) - $week_start) / 7.0) as bigint)
{%- elif period == "month" %}
date_diff('month', date '1970-01-01', cast(timezone($time_zone, timezone('UTC', make_timestamp(moment))) as date)) + 23640
{%- else %}
date_diff('day', date '1970-01-01', cast(timezone($time_zone, timezone('UTC', make_timestamp(moment))) as date))
{%- endif %}
