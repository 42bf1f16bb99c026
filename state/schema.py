"""Every table of the small state.

New tables, and new columns with a default, are made at the next open. Any other change needs a new SCHEMA_VERSION.
"""

from __future__ import annotations

import json

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
)

SCHEMA_VERSION = 1

KEEP_MONTHS = 25
"""For how long events are kept unless a site says otherwise: two years, and the month in which they are compared."""

DEFAULT_ENVIRONMENTS = ("production",)
"""The environments whose events count unless a site or a question says otherwise."""

METADATA = MetaData()

META = Table(
    "meta",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

SITES = Table(
    "sites",
    METADATA,
    Column("slug", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("week_start", Integer, nullable=False),
    Column("origins", String, nullable=False),  # a JSON list
    Column("public_url", String),
    Column("count_bots", Boolean, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("keep_months", Integer, server_default=str(KEEP_MONTHS)),  # null for ever
    Column("count_internal", Boolean, nullable=False, server_default=false()),
    # A JSON list, empty for all.
    Column("environments", String, nullable=False, server_default=json.dumps(DEFAULT_ENVIRONMENTS)),
)

KEYS = Table(
    "keys",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site", String, ForeignKey("sites.slug"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("prefix", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("text", String),  # only of kinds that are public
    Column("created_at", Integer, nullable=False),
    Column("revoked_at", Integer),
)

DEFINITIONS = Table(
    "definitions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("site", String, ForeignKey("sites.slug"), nullable=False),
    Column("key", String, nullable=False),  # the name as names are compared
    Column("name", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", String, nullable=False),  # JSON
    Column("engine", Integer, nullable=False),
    Column("author", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    UniqueConstraint("site", "key", "version"),
)
