{# The order of a list of sessions, which is whole: a device begins one session at a moment. #}
{% if order == "longest" %}
ended - began desc, {% elif order == "most_events" %}
events desc, {% endif %}
began desc, device_id
