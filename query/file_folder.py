"""A folder with a file for each thing of a shelf: written from the state, compared with it, and applied to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, get_args

from expost.clock import Clock
from expost.errors import InvalidInput
from expost.state.audit import NOBODY, Actor
from expost.state.changes import Change, apply_changes
from expost.state.database import State
from expost.state.details import Details
from expost.state.names import name_key
from expost.state.shelf import Draft, Shelf

from .toml_file import SUFFIX, file_name, read_toml

MOST_BYTES = 1_000_000
Kind = Literal["new", "changed", "archived", "same"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Filed(Protocol):
    """What a file says."""

    @property
    def name(self) -> str:
        """What the thing is called."""
        ...

    @property
    def details(self) -> Details:
        """What is said of it beside its meaning."""
        ...


F = TypeVar("F", bound=Filed)
Difference = tuple[Sequence[str], Sequence[Draft]]
"""What one meaning changes of another, in lines that begin with `- ` or `+ `, and the versions that do it."""


@dataclass(frozen=True, slots=True)
class Filing(Generic[F]):
    """The things of a shelf of one site, and how they are files. Names are keys as names are compared.

    `parse` reads a text with the name of its file and `check` refuses in addition what could not be asked. `says` is
    what decides whether two say the same; `difference` is that of what a file says to what is saved, if anything is.
    """

    site: str
    noun: str
    saved: Mapping[str, F]
    latest: Mapping[str, int]
    parse: Callable[[str, str], F]
    check: Callable[[str, str], F]
    write: Callable[[F, str], str]
    says: Callable[[F], object]
    difference: Callable[[F, F | None], Difference]


@dataclass(frozen=True, slots=True)
class Planned:
    """What applying the files does to one thing, said in `lines`: `- ` what goes, `+ ` what comes."""

    name: str
    kind: Kind
    file: str
    lines: tuple[str, ...]
    change: Change


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a folder does to a site. `without_file` are things that it does not touch."""

    site: str
    noun: str
    planned: tuple[Planned, ...]
    without_file: tuple[str, ...]

    @property
    def changes(self) -> tuple[Planned, ...]:
        """Those that are not the same already."""
        return tuple(each for each in self.planned if each.kind != "same")

    @property
    def summary(self) -> dict[Kind, int]:
        """How many are new, changed, archived and the same."""
        return {kind: sum(each.kind == kind for each in self.planned) for kind in KINDS}

    def to_json(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "summary": dict(self.summary),
            f"{self.noun}s": [
                {"name": each.name, "kind": each.kind, "file": each.file, "lines": list(each.lines)}
                for each in self.planned
            ],
            "without_file": list(self.without_file),
        }


@dataclass(frozen=True, slots=True)
class Written:
    """One file of an export, and whether it had to be written."""

    name: str
    file: str
    is_written: bool


def export_folder(filing: Filing[F], folder: Path) -> list[Written]:
    """Write one file for each thing. A file that says the same already stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = _texts(folder, filing.noun)
    named = _files_by_name(texts)
    written = []
    for key, filed in filing.saved.items():
        file = named.get(key) or file_name(filed.name)
        before = texts.get(file, "")
        if before and key not in named:
            raise InvalidInput(
                f"{folder / file} is the file of {filed.name!r}, but it holds something else.",
                hint="Move it away, or export into another folder.",
            )
        is_same = bool(before) and _says(filing, before, file) == _said(filing, filed)
        if not is_same:
            _write(folder / file, filing.write(filed, before))
        written.append(Written(filed.name, file, not is_same))
    return written


def plan_folder(filing: Filing[F], folder: Path, *, archives_missing: bool = False) -> Plan:
    """What applying the folder would do. Every file is read and checked first; one that is wrong stops all."""
    planned: dict[str, Planned] = {}
    for file, text in _texts(folder, filing.noun, must_exist=True).items():
        filed = filing.check(text, file)
        key = name_key(filed.name)
        if key in planned:
            raise InvalidInput(
                f"{planned[key].file} and {file} both define {filed.name!r}.",
                hint="Names are compared without regard to case. Leave one of the two files out.",
            )
        planned[key] = _planned(filing, filed, file, filing.latest.get(key, 0))
    missing = {
        key: filed for key, filed in filing.saved.items() if key not in planned and not filed.details.archived
    }
    if archives_missing:
        planned |= {key: _archived(filed, filing.latest[key]) for key, filed in missing.items()}
        missing = {}
    names = tuple(filed.name for filed in missing.values())
    return Plan(filing.site, filing.noun, tuple(planned.values()), names)


def apply_plan(state: State, shelf: Shelf, plan: Plan, *, clock: Clock, by: Actor = NOBODY) -> None:
    """Do what was planned, all of it or nothing."""
    changes = [each.change for each in plan.changes]
    apply_changes(state, shelf, plan.site, changes, clock=clock, by=by)


def _planned(filing: Filing[F], filed: F, file: str, latest: int) -> Planned:
    saved = filing.saved.get(name_key(filed.name))
    lines, drafts = filing.difference(filed, saved)
    before = saved.details if saved else Details()
    said = (*lines, *_detail_lines(before, filed.details))
    is_archived = filed.details.archived and not before.archived
    kind: Kind = "archived" if is_archived else "changed" if said else "same"
    change = Change(filed.name, tuple(drafts), filed.details, latest)
    return Planned(filed.name, "new" if saved is None else kind, file, said, change)


def _archived(saved: Filed, latest: int) -> Planned:
    told = saved.details
    archived = Details(told.owner, told.tags, told.note, archived=True)
    change = Change(saved.name, (), archived, latest)
    return Planned(saved.name, "archived", "", ("+ archived: it has no file",), change)


def _detail_lines(before: Details, after: Details) -> list[str]:
    old, new = before.to_json(), after.to_json()
    lines = []
    for name in new:
        if old[name] != new[name]:
            lines += [f"- {name}: {_words(old[name])}"] if old[name] else []
            lines += [f"+ {name}: {_words(new[name])}"] if new[name] else []
    return lines


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "yes" if value is True else str(value)


def _files_by_name(texts: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for file, text in texts.items():
        name = read_toml(text, file).get("name")
        if isinstance(name, str):
            found[name_key(name)] = file
    return found


def _says(filing: Filing[F], text: str, file: str) -> object:
    try:
        return _said(filing, filing.parse(text, file))
    except InvalidInput:
        # It says something that cannot be any more: it is written again.
        return None


def _said(filing: Filing[F], filed: F) -> object:
    return filed.name, filing.says(filed), filed.details


def _texts(folder: Path, noun: str, *, must_exist: bool = False) -> dict[str, str]:
    """The text of every file of the folder, by file name and in that order."""
    if must_exist and not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.", hint=f"Make one with: expost {noun}s export DIR")
    texts = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            raw = path.read_bytes()
            if len(raw) > MOST_BYTES:
                raise InvalidInput(
                    f"{path} has {len(raw):,} bytes; a {noun} has at most {MOST_BYTES:,}.",
                    hint=f"Is it a file of a {noun}? Look at one that expost {noun}s export writes.",
                )
            texts[path.name] = raw.decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise InvalidInput(
                f"{path} cannot be read: {problem}.", hint="Write it in UTF-8, readable by whoever runs this."
            ) from problem
    return texts


def _write(path: Path, text: str) -> None:
    """Put the text there whole: whoever reads meanwhile sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)
