"""A disk that keeps only what was synced: what a folder may look like after a power cut.

`Power` notes each `fsync` and `fdatasync` of this process. An `image` of the folder then has, of every file, what was
synced of it and by chance more, whole or torn; and of every name that was made, changed or removed since its folder was
synced, by chance the old state or the new one. A rename is one such change: the file has its old name or its new one,
and never none, as the file systems with a journal of their own have it.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

BLOCK = 512


class Power:
    """Watches the folder `root` from now on, when all that is in it counts as synced. At a sync `on_sync` is called."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.on_sync: Callable[[], None] = lambda: None
        self._root = root
        self._chance = chance
        self._content: dict[int, bytes] = {}
        # By the inode of the folder, which a rename leaves as it is.
        self._names: dict[int, dict[str, int]] = {}
        # Open as long as this lives, so that no inode number is used a second time.
        self._held: dict[int, int] = {}
        self._lock = threading.Lock()
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            self._note_folder(folder)
            for path in folder.iterdir():
                if path.is_file():
                    self._content[path.stat().st_ino] = path.read_bytes()

    def sync(self, descriptor: int) -> None:
        """Takes the place of `os.fsync` and `os.fdatasync`. Of two threads one waits: an image is of one moment."""
        with self._lock:
            self.on_sync()
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path == self._root or self._root in path.parents:
                if path.is_dir():
                    self._note_folder(path)
                else:
                    self._note_file(descriptor)
            self.on_sync()

    def image(self, target: Path) -> None:
        """Write to `target` what the power cut leaves."""
        for folder in [self._root, *(path for path in self._root.rglob("*") if path.is_dir())]:
            made = target / folder.relative_to(self._root)
            made.mkdir(parents=True)
            now = _listed(folder)
            synced = self._names.get(folder.stat().st_ino, {})
            chosen = self._renamed(now, synced)
            for name in sorted(now.keys() | synced.keys()):
                inode = chosen[name] if name in chosen else self._choose(now.get(name), synced.get(name))
                if inode is not None:
                    self._hold(folder / name)
                    (made / name).write_bytes(self._survives(inode))

    def _renamed(self, now: dict[str, int], synced: dict[str, int]) -> dict[str, int | None]:
        """What stands under both names of each file that was renamed."""
        chosen: dict[str, int | None] = {}
        for new, inode in now.items():
            for old in [name for name, each in synced.items() if each == inode and now.get(name) != inode]:
                names = now if self._chance.random() < 0.5 else synced
                chosen |= {old: names.get(old), new: names.get(new)}
        return chosen

    def _choose(self, now: int | None, synced: int | None) -> int | None:
        return now if now == synced or self._chance.random() < 0.5 else synced

    def _survives(self, inode: int) -> bytes:
        synced = self._content.get(inode, b"")
        current = _read(self._held[inode]) if inode in self._held else synced
        if current == synced or self._chance.random() < 0.3:
            return synced
        if self._chance.random() < 0.3:
            return current
        torn = bytearray(current[: self._chance.randint(min(len(synced), len(current)), len(current))])
        for at in range(0, len(torn), BLOCK):
            block = slice(at, at + BLOCK)
            if bytes(torn[block]) != synced[block] and self._chance.random() < 0.4:
                old = synced[block]
                # What was synced may be longer, if the file was cut since.
                torn[block] = old.ljust(BLOCK, b"\0")[: len(torn[block])]
        return bytes(torn)

    def _note_folder(self, folder: Path) -> None:
        self._hold(folder)
        names = self._names[folder.stat().st_ino] = _listed(folder)
        for name in names:
            self._hold(folder / name)

    def _note_file(self, descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        if inode not in self._held:
            self._held[inode] = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)
        self._content[inode] = _read(self._held[inode])

    def _hold(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return
        inode = os.fstat(descriptor).st_ino
        if inode in self._held:
            os.close(descriptor)
        else:
            self._held[inode] = descriptor


def _listed(folder: Path) -> dict[str, int]:
    with os.scandir(folder) as entries:
        return {entry.name: entry.inode() for entry in entries if entry.is_file(follow_symlinks=False)}


def _read(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
