"""The page that lists who changed what."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.clock import from_micros
from expost.state.audit import AuditLine, audit_lines

from .desk import Desk, in_thread
from .format import moment
from .page import render

A_PAGE = 100


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One line as the page shows it."""

    at: str
    line: AuditLine


@dataclass(frozen=True, slots=True)
class AuditView:
    """What `_audit.html` shows; `older` is the line before which there are more."""

    rows: tuple[AuditRow, ...]
    older: int | None = None


def audit_view(lines: list[AuditLine], zone: str) -> AuditView:
    """A page of lines, and where the next one begins."""
    shown = lines[:A_PAGE]
    rows = tuple(AuditRow(moment(from_micros(line.at), zone), line) for line in shown)
    return AuditView(rows, shown[-1].id if len(lines) > A_PAGE else None)


def add_audit(router: APIRouter, desk: Desk) -> None:
    """`/audit`."""

    @router.get("/audit")
    async def audit(request: Request) -> Response:
        """The latest lines, or those before one of them."""
        before = request.query_params.get("before", "")
        is_number = before.isascii() and before.isdigit() and len(before) < 18
        found = await in_thread(
            audit_lines, desk.access.state, limit=A_PAGE + 1, before=int(before) if is_number else None
        )
        view = audit_view(found, desk.site_of(request).time_zone)
        return render(desk, request, "audit.html", view=view)
