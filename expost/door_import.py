"""The part of a `Lake` that takes history which another product exported."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from expost.door_asking import Asking
from expost.errors import InvalidInput
from expost.history.importing import import_history
from expost.history.proposal import Proposal, proposal
from expost.history.report import Report
from expost.history.sources import READERS, TABLES, mapped_source, mapping_for, source_of
from expost.state.audit import Actor
from expost.state.sites import find_site


class Imports(Asking):
    """Imports as methods."""

    def import_history(
        self,
        kind: str,
        *files: Path | str,
        site: str | None = None,
        time_zone: str | None = None,
        mapping: Path | str | None = None,
        dry_run: bool = False,
        rejects: Path | str = "expost-import-rejects.ndjson",
        progress: Callable[[Report], None] | None = None,
        **columns: Any,
    ) -> Report:
        """Import files or folders of a `kind`, once however often it is called, and say what became of their rows.

        `import_history("amplitude", "export.zip")`; kinds are `posthog`, `amplitude`, `mixpanel`, `snowplow`, and `csv`
        and `parquet`, whose columns a `mapping` file names or you do: `time="ts", event="name", user="user_id"`. A dry
        run changes nothing; rows that cannot be used go to `rejects`. `progress` is told the report as it grows.
        """
        paths = [Path(file) for file in files]
        if not paths:
            raise InvalidInput(
                "There is nothing to import.", hint='For example: import_history("csv", "log.csv")'
            )
        if kind in TABLES:
            said: Mapping[str, Any] = columns | ({"time_zone": time_zone} if time_zone else {})
            meant = mapping_for(paths, None if mapping is None else Path(mapping), said)
            source = mapped_source(kind, paths, meant)
        elif kind not in READERS:
            raise InvalidInput(
                f"{kind!r} is no kind of export.", hint=f"Say one of: {', '.join((*READERS, *TABLES))}."
            )
        elif mapping is not None or columns:
            raise InvalidInput(
                f"An export of {kind} has no mapping: its columns are known.",
                hint="Leave the mapping out, or import the files as csv or parquet.",
            )
        else:
            source = source_of(kind, paths, time_zone)
        return import_history(
            self.analysis.folder,
            self.analysis.state,
            find_site(self.analysis.state, site),
            source,
            Path(rejects),
            is_dry_run=dry_run,
            clock=self.analysis.clock,
            by=Actor(getpass.getuser(), "Python"),
            progress=progress,
        )

    def inspect_table(self, file: Path | str) -> Proposal:
        """What a table seems to hold, and a mapping that seems to fit it: `.to_toml()` for you to mend."""
        return proposal(Path(file))
