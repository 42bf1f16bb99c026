"""What the tables of a lake must agree in, as queries that count what does not."""

from __future__ import annotations

AGREEMENTS = (
    (
        "events whose element is missing",
        """
        select count(*) from lake.events
        where element_id is not null and element_id not in (select element_id from lake.elements)
        """,
    ),
    (
        "elements whose descriptor or parent is missing",
        """
        select count(*) from lake.elements
        where descriptor_id not in (select descriptor_id from lake.descriptors)
            or (parent_id is not null and parent_id not in (select element_id from lake.elements))
        """,
    ),
    (
        "events whose placement is missing",
        """
        select count(*) from lake.events
        where placement_id is not null and placement_id not in (select placement_id from lake.placements)
        """,
    ),
    (
        "placements whose element or parent is missing",
        """
        select count(*) from lake.placements
        where element_id not in (select element_id from lake.elements)
            or (parent_placement_id is not null
                and parent_placement_id not in (select placement_id from lake.placements))
        """,
    ),
    (
        "events whose device is missing",
        """
        select count(*) from lake.events
        where device_id is not null and device_id not in (select device_id from lake.devices)
        """,
    ),
    (
        "events whose user is missing",
        """
        select count(*) from lake.events
        where user_id is not null and user_id not in (select user_id from lake.users)
        """,
    ),
    (
        "identities whose device or user is missing",
        """
        select count(*) from lake.identities
        where kind = 'identify' and (
            from_id not in (select device_id from lake.devices) or to_id not in (select user_id from lake.users)
        ) or kind = 'merge' and not (
            from_id in (select user_id from lake.users) and to_id in (select user_id from lake.users)
        )
        """,
    ),
    (
        "page counts whose device is missing",
        "select count(*) from lake.page_counts where device_id not in (select device_id from lake.devices)",
    ),
    (
        "event ids that are stored more than once",
        "select count(*) - count(distinct (site, event_id)) from lake.events",
    ),
)
