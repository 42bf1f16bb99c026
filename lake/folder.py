"""The data folder: where its parts are, and the installation's secret."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from expost.errors import FolderError

from .disk import DRAFT, sync, write_draft

SECRET_BYTES = 32
BEFORE_FIRST_START = frozenset({"demo.json", "lost+found"})
"""What may be in a folder before it is ours: the demo's notes, and what a new volume holds."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths inside one data folder. Nothing is made by looking at them."""

    path: Path

    @property
    def lake(self) -> Path:
        """One Delta table per name in `lake.schema.TABLES`."""
        return self.path / "lake"

    @property
    def journal(self) -> Path:
        """Segments of what was acknowledged and is not yet in the lake."""
        return self.path / "journal"

    @property
    def rejected(self) -> Path:
        """What could not be stored, with the reason."""
        return self.path / "rejected"

    @property
    def erasures(self) -> Path:
        """What was asked to be erased and what became of it. Nothing of whom they name is stored any more."""
        return self.path / "erasures"

    @property
    def edits(self) -> Path:
        """What editors said of people and the writer of the lake has not taken yet."""
        return self.path / "edits"

    @property
    def imports(self) -> Path:
        """Exports that were uploaded to be imported, for a week."""
        return self.path / "imports"

    @property
    def quarantine(self) -> Path:
        """Damaged files of the lake, for a person to look at."""
        return self.path / "quarantine"

    @property
    def broken(self) -> Path:
        """Notes of files of the lake that could not be read, until its writer has looked after them."""
        return self.path / "broken"

    @property
    def spill(self) -> Path:
        """What questions have on the disk while they are answered."""
        return self.path / "spill"

    @property
    def seen(self) -> Path:
        """Hashes of the event ids of the last days, which the lake could give again."""
        return self.path / "seen"

    @property
    def scripts(self) -> Path:
        """Every version of the snippet that was served, for pages that pin one."""
        return self.path / "scripts"

    @property
    def cache(self) -> Path:
        """What questions keep for the next ones. Deleting it loses nothing."""
        return self.path / "cache"

    @property
    def state_path(self) -> Path:
        """The small state: sites, keys, definitions."""
        return self.path / "state.sqlite"

    @property
    def lock_path(self) -> Path:
        """Locked by the process that serves this folder."""
        return self.path / "lock"

    @property
    def address_path(self) -> Path:
        """Where the server of this folder answers, or did when it last ran."""
        return self.path / "address"

    @property
    def listening_path(self) -> Path:
        """Where the server of this folder listens on this machine, whatever address pages use."""
        return self.path / "listening"

    @property
    def settings_path(self) -> Path:
        """Settings kept with the data."""
        return self.path / "expost.toml"

    @property
    def secret_path(self) -> Path:
        """The key of every hashed id in this folder."""
        return self.path / "secret"

    def secret(self) -> bytes:
        """The installation's secret, made at the first call and the same ever after.

        Losing it would give every device, user and element a second id, so an unreadable one is an error, never remade.
        """
        try:
            text = self.secret_path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return _make_secret(self.secret_path)
        try:
            secret = bytes.fromhex(text)
        except ValueError:
            secret = b""
        if len(secret) != SECRET_BYTES:
            raise FolderError(
                f"The secret in {self.secret_path} is damaged.",
                hint="Put the file back from a backup; without it old and new ids would not meet.",
            )
        return secret


def open_folder(path: Path | str, create: bool = False) -> Folder:
    """The data folder at `path`; with `create` it is made if missing, else a missing one is refused."""
    folder = Folder(Path(path).expanduser().absolute())
    _refuse_without_secret(folder)
    if not create:
        if not folder.secret_path.is_file():
            raise FolderError(
                f"There is no Expost data in {folder.path}.",
                hint=f"Make it and start with: expost serve --data {path}",
            )
        return folder
    _refuse_foreign(folder)
    try:
        for part in (folder.path, folder.lake, folder.journal, folder.rejected):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.secret()
    except OSError as problem:
        raise FolderError(
            f"The data folder {folder.path} cannot be made: {problem.strerror}.",
            hint="Choose a folder that you may write to with --data.",
        ) from problem
    return folder


def _refuse_without_secret(folder: Folder) -> None:
    """A folder that has a lake has had a secret; another one is not made in its place."""
    if not folder.secret_path.is_file() and any(folder.lake.glob("*/_delta_log")):
        raise FolderError(
            f"The file {folder.secret_path} is missing, and the lake beside it was made with it.",
            hint="Put the file back from a backup; without it old and new ids would not meet.",
        )


def _refuse_foreign(folder: Folder) -> None:
    """A folder that somebody uses for something else is not filled with our files."""
    if folder.secret_path.exists() or not folder.path.is_dir():
        return
    ours = {path.name for path in (folder.lake, folder.journal, folder.rejected, folder.settings_path)}
    names = [path.name for path in folder.path.iterdir() if path.name not in ours | BEFORE_FIRST_START]
    # A first start that was killed may have left a secret that is not yet one.
    others = sorted(name for name in names if not name.startswith(f"{folder.secret_path.name}."))
    if others:
        raise FolderError(
            f"{folder.path} holds {others[0]!r} and no Expost data.",
            hint="Name a new or an empty folder with --data; it is made if it is missing.",
        )


def _make_secret(path: Path) -> bytes:
    secret = os.urandom(SECRET_BYTES)
    # A name of its own: in containers every process may have the same number.
    draft = path.with_name(f"{path.name}.{uuid.uuid4()}{DRAFT}")
    write_draft(draft, secret.hex().encode() + b"\n")
    try:
        # Linking never replaces: of two processes that start at once, both keep the secret of the first.
        os.link(draft, path)
    except FileExistsError:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    finally:
        draft.unlink()
    sync(path.parent)
    return secret
