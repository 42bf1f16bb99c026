"""What was not stored, one JSON object a line in `rejected/<site>.<day>.<number>.ndjson`: seven days, within a cap.

Each line holds `reason`, `site`, `received_at`, `id` and `content`, like the single files that the sink writes there.
Nothing is synced: these lines are for a person to look at, and their senders were told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from expost.clock import from_micros

from .masks import Masks
from .wire import Refused

log = logging.getLogger("expost.collector")

MAX_CONTENT_BYTES = 64_000
MAX_BATCH_BYTES = 256_000
TAIL_LENGTH = 300
FILE_BYTES = 4_000_000
KEPT_MICROS = 7 * 86_400 * 1_000_000

_encode = msgspec.json.Encoder().encode


class RefusedLog:
    """Keeps refused events of every site in a folder, masked as far as patterns go."""

    def __init__(self, folder: Path, masks: Masks, max_bytes: int) -> None:
        self._folder = folder
        self._masks = masks
        self._max_bytes = max_bytes
        self._sizes: dict[str, dict[Path, int]] = {}
        self.dropped_files = 0
        self.count = 0

    def keep(self, site: str, received_at: int, refused: Sequence[Refused]) -> None:
        """Write what was refused of one batch. A disk that does not take it costs nothing but these lines."""
        self.count += len(refused)
        at = from_micros(received_at).isoformat()
        lines = []
        room = MAX_BATCH_BYTES
        for each in refused:
            content = self._masked(each.content, min(MAX_CONTENT_BYTES, room))
            room -= len(content)
            line = {
                "reason": self._masks.text(each.reason), "site": site, "received_at": at,
                "id": self._masks.text(each.id), "content": content,
            }  # fmt: skip
            lines.append(_encode(line) + b"\n")
        try:
            self._append(site, received_at, b"".join(lines))
        except OSError as problem:
            log.error("refused events of %s are not kept: %s", site, problem)

    def _masked(self, content: bytes, limit: int) -> str:
        masked = self._masks.text(content[:limit].decode("utf-8", "replace"))
        # What was cut in the middle of a secret does not look like one any more.
        return masked if len(content) <= limit else masked[:-TAIL_LENGTH]

    def _append(self, site: str, received_at: int, data: bytes) -> None:
        sizes = self._sizes.get(site)
        if sizes is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = sorted(self._folder.glob(f"{site}.*.ndjson"))
            sizes = self._sizes[site] = {path: path.stat().st_size for path in found}
        path = self._file(site, received_at, sizes)
        with path.open("ab") as file:
            file.write(data)
        sizes[path] = sizes.get(path, 0) + len(data)
        self._make_room(received_at, sizes)

    def _file(self, site: str, received_at: int, sizes: dict[Path, int]) -> Path:
        day = from_micros(received_at).date()
        latest = max((path for path in sizes if path.name.startswith(f"{site}.{day}.")), default=None)
        if latest is None:
            return self._folder / f"{site}.{day}.000001.ndjson"
        if sizes[latest] < min(FILE_BYTES, self._max_bytes // 4):
            return latest
        return self._folder / f"{site}.{day}.{int(latest.name.split('.')[2]) + 1:06}.ndjson"

    def _make_room(self, received_at: int, sizes: dict[Path, int]) -> None:
        oldest_day = str(from_micros(received_at - KEPT_MICROS).date())
        # Names sort by day and number; the newest is never dropped.
        for path in sorted(sizes)[:-1]:
            is_over = sum(sizes.values()) > self._max_bytes
            if not is_over and path.name.split(".")[1] >= oldest_day:
                break
            path.unlink(missing_ok=True)
            del sizes[path]
            if is_over:
                self.dropped_files += 1
                log.warning("%s: oldest refused events dropped, the cap is reached", path.name)
