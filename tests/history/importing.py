"""Imports of a few rows, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expost.history.importing import Source, import_history
from expost.history.report import Report
from expost.history.sources import source_of
from expost.lake.folder import open_folder
from expost.lake.reader import connect
from expost.state.database import State
from expost.state.sites import find_site
from tests.serving import make_site


def written(folder: Path, name: str, rows: Sequence[Any]) -> Path:
    """A file of JSON lines."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def imported(data: Path, name: str, rows: Sequence[Any], **options: Any) -> Report:
    """What became of these rows of the export of a product, in a folder that is made if it is missing."""
    path = written(data.parent / f"{data.name}-exports", f"{name}.ndjson", rows)
    return run(data, source_of(name, [path]), **options)


def run(data: Path, source: Source, **options: Any) -> Report:
    """What became of an import into a folder, which is made if it is missing."""
    if not data.exists():
        make_site(data, keep_months=None)
    folder = open_folder(data)
    state = State(folder.state_path)
    try:
        return import_history(
            folder, state, find_site(state), source, data.parent / "rejects.ndjson", **options
        )
    finally:
        state.close()


def rows_of(data: Path, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
    """Columns of the events of a folder, in their order."""
    with connect(data) as connection:
        return connection.execute(
            f"""select {columns}
            from (select * from lake.events order by time, page_id, page_seq, event_id)
            where {where}"""
        ).fetchall()
