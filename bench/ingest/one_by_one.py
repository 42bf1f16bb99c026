"""The journal as a server without group commit would have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expost.lake.journal import Journal


class OneByOne(Journal):
    """Syncs after each payload, as a server without group commit does."""

    def _commit(self, group: Sequence[Any]) -> None:
        for each in group:
            super()._commit([each])
