"""The shelves of reports and of dashboards. What a body means is known to `query`."""

from __future__ import annotations

from expost.errors import UnknownDashboard, UnknownReport

from . import schema
from .shelf import Shelf

REPORTS = Shelf("report", schema.REPORTS, UnknownReport, schema.REPORT_DETAILS)
DASHBOARDS = Shelf("dashboard", schema.DASHBOARDS, UnknownDashboard, schema.DASHBOARD_DETAILS)
