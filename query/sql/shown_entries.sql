{# The entries of the attempts that a pass over arrays shows, as `shown_entries`; their moments as `tied`. #}
create or replace temp table shown_entries as select * from _entries;
create or replace temp table tied as select distinct moment from _entries;
