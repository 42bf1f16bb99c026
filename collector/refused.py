"""What was not stored, one JSON object a line in `rejected/<site>.<day>.<number>.ndjson`: seven days, within a cap.

The sink writes its lines beside them in the same form (`expost.lake.rejected`); both count for the cap. Nothing is
synced here: these lines are for a person to look at, and their senders were told.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from expost.clock import from_micros
from expost.lake.lock import shared
from expost.lake.rejected import MAX_CONTENT_BYTES, SUFFIX, line_of, lock_path

from .masks import Masks
from .tally import Tally
from .wire import Refused

log = logging.getLogger("expost.collector")

MAX_BATCH_BYTES = 256_000
TAIL_LENGTH = 300
FILE_BYTES = 4_000_000
KEPT_MICROS = 7 * 86_400 * 1_000_000


class RefusedLog:
    """Keeps refused events of every site in a folder, masked as far as patterns go. Safe to share between threads."""

    def __init__(self, folder: Path, masks: Masks, max_bytes: int, tally: Tally | None = None) -> None:
        self._folder = folder
        self._masks = masks
        self._max_bytes = max_bytes
        self._file_bytes = min(FILE_BYTES, max_bytes // 4)
        self._current: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._tally = tally or Tally()
        self._problem = ""
        self.count = 0

    def keep(self, site: str, received_at: int, refused: Sequence[Refused]) -> None:
        """Write what was refused of one batch. A disk that does not take it costs nothing but these lines."""
        lines = []
        room = MAX_BATCH_BYTES
        for each in refused:
            content = self._masked(each.content, min(MAX_CONTENT_BYTES, room))
            room -= len(content)
            reason, id_ = self._masks.text(each.reason), self._masks.text(each.id)
            lines.append(line_of(reason, site, received_at, id_, content))
        with self._lock:
            self.count += len(refused)
            try:
                # While somebody is erased, files are rewritten.
                with shared(lock_path(self._folder)):
                    self._append(site, received_at, b"".join(lines))
            except OSError as problem:
                self._current.pop(site, None)
                # Once: whoever knows a key may send as many of them as they like.
                if str(problem) != self._problem:
                    log.error("refused events are not kept, at first one of %s: %s", site, problem)
                self._problem = str(problem)
            else:
                if self._problem:
                    log.warning("refused events are kept again")
                self._problem = ""

    def make_room(self, now: int) -> None:
        """Remove what is older than seven days and, of each site, the oldest files beyond the cap."""
        with self._lock:
            try:
                with shared(lock_path(self._folder)):
                    self._make_room(now)
            except OSError as problem:
                log.error("%s cannot be looked through: %s", self._folder, problem)

    def _masked(self, content: bytes, limit: int) -> str:
        masked = self._masks.unread(content[:limit].decode("utf-8", "replace"))
        # What was cut in the middle of a secret does not look like one any more.
        return masked if len(content) <= limit else masked[:-TAIL_LENGTH]

    def _append(self, site: str, received_at: int, data: bytes) -> None:
        day = str(from_micros(received_at).date())
        path = self._current.get(site)
        if path is None or _day_of(path) != day:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._current[site] = self._latest(site, day)
            self._make_room(received_at)
        with path.open("ab") as file:
            file.write(data)
            if file.tell() >= self._file_bytes:
                self._current[site] = self._after(path)
                self._make_room(received_at)

    def _latest(self, site: str, day: str) -> Path:
        digits = "[0-9]" * 6
        latest = max(self._folder.glob(f"{site}.{day}.{digits}{SUFFIX}"), default=None)
        if latest is None:
            return self._folder / f"{site}.{day}.000001{SUFFIX}"
        return latest if latest.stat().st_size < self._file_bytes else self._after(latest)

    def _after(self, path: Path) -> Path:
        site, day, number, _ = path.name.split(".")
        return path.with_name(f"{site}.{day}.{int(number) + 1:06}{SUFFIX}")

    def _make_room(self, now: int) -> None:
        oldest_day = str(from_micros(now - KEPT_MICROS).date())
        found = [path for path in self._folder.glob(f"*{SUFFIX}") if path.name.count(".") == 3]
        in_use = set(self._current.values())
        for _, of_site in groupby(sorted(found), key=lambda path: path.name.split(".")[0]):
            sizes = {path: path.stat().st_size for path in of_site}
            # The file in use is not yet as long as it may become.
            total = sum(sizes.values()) + self._file_bytes
            for path in sorted(sizes, key=_day_of):
                is_over = total > self._max_bytes
                if _day_of(path) >= oldest_day and (path in in_use or not is_over):
                    continue
                path.unlink(missing_ok=True)
                total -= sizes[path]
                if is_over:
                    self._tally.dropped_files += 1
                    log.warning("%s: oldest refused events dropped, the cap is reached", path.name)


def _day_of(path: Path) -> str:
    return path.name.split(".")[1]
