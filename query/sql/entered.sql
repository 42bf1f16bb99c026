{# The events of entry of the attempts that are shown. #}
create or replace temp view entered as
select unit_id, position_1 as position, is_exposed_only
from shown;
