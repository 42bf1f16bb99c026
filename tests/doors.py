"""Doors to a folder: its command line, and the app over it, both in the process of the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from fastapi import FastAPI
from fastapi.testclient import TestClient

from expost.access import Access
from expost.admission import Caller, Who
from expost.app import create_inside
from expost.cli import main
from expost.lake.folder import Folder
from expost.query.analysis import Analysis
from expost.settings import Settings
from expost.ui.caller import CALLER
from expost.ui.desk import PageSite


def run(data: Path, *words: str) -> Result:
    """What a command says of this folder."""
    return CliRunner().invoke(main, [*words, "--data", str(data)])


def printed(data: Path, *words: str) -> Any:
    """The JSON that a command prints of this folder."""
    result = run(data, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def app_over(analysis: Analysis) -> FastAPI:
    """Pages and API of a folder, behind the gate; questions are answered here and not in a pool."""

    async def call(method: str, *arguments: Any, **named: Any) -> Any:
        return getattr(analysis, method)(*arguments, **named)

    site = PageSite("shop", "Shop", "UTC", "<script></script>")
    return create_inside(call, lambda: [site], Access(analysis.state, Settings(data=analysis.folder.path)))


class Api:
    """The API as an account with this role is answered."""

    def __init__(self, folder: Folder, role: str | None) -> None:
        inside = app_over(Analysis(folder.path))
        who = None if role is None else Who(1, "ann", role, login_id=1)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inside(scope | {CALLER: Caller(who=who)}, receive, send)

        self.client = TestClient(app, base_url="http://127.0.0.1")
