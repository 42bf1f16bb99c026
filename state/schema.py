"""Every table of the small state.

New tables, and new columns with a default, are made at the next open. Any other change needs a new SCHEMA_VERSION.
"""

from __future__ import annotations

import json

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    event,
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
    Column("valid_from", Integer),  # null: since ever
    Column("valid_until", Integer),  # null: for ever
    Column("starts_over", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("site", "key", "version"),
)


def _versions(name: str) -> Table:
    """What a shelf keeps: versions under names."""
    return Table(
        name,
        METADATA,
        Column("id", Integer, primary_key=True),
        Column("site", String, ForeignKey("sites.slug"), nullable=False),
        Column("key", String, nullable=False),  # the name as names are compared
        Column("name", String, nullable=False),
        Column("version", Integer, nullable=False),
        Column("body", String, nullable=False),  # JSON
        Column("author", String, nullable=False),
        Column("created_at", Integer, nullable=False),
        UniqueConstraint("site", "key", "version"),
    )


def _details(name: str) -> Table:
    """What is said beside the meaning of what a shelf keeps."""
    return Table(
        name,
        METADATA,
        Column("id", Integer, primary_key=True),
        Column("site", String, ForeignKey("sites.slug"), nullable=False),
        Column("key", String, nullable=False),
        Column("detail", String, nullable=False),
        Column("value", String, nullable=False),  # JSON
        Column("author", String, nullable=False),
        Column("recorded_at", Integer, nullable=False),
        sqlite_autoincrement=True,
    )


DEFINITION_DETAILS = _details("definition_details")
COHORTS = _versions("cohorts")  # of a list keyed hashes, no id in clear
REPORTS = _versions("reports")
REPORT_DETAILS = _details("report_details")
DASHBOARDS = _versions("dashboards")
DASHBOARD_DETAILS = _details("dashboard_details")

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),  # the name as names are compared
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("password", String, nullable=False),  # its Argon2 hash
    Column("created_at", Integer, nullable=False),
    sqlite_autoincrement=True,
)

LOGINS = Table(
    "logins",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("digest", String, nullable=False, unique=True),
    Column("browser", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("used_at", Integer, nullable=False),
    sqlite_autoincrement=True,
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("prefix", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
    Column("used_at", Integer),
    Column("revoked_at", Integer),
    sqlite_autoincrement=True,
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("who", String, nullable=False),
    Column("place", String, nullable=False),  # never an address
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", String, nullable=False),
    sqlite_autoincrement=True,
)
for change in ("update", "delete"):
    refuse = "begin select raise(abort, 'the audit only grows'); end"
    trigger = DDL(f"create trigger audit_refuses_{change} before {change} on audit {refuse}")  # type: ignore[no-untyped-call]
    event.listen(AUDIT, "after_create", trigger)
