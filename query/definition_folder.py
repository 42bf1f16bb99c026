"""A folder of definitions as files: written from the state, compared with it, and applied to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from expost.clock import Clock
from expost.errors import InvalidInput
from expost.state.audit import NOBODY, Actor
from expost.state.database import State
from expost.state.definition_changes import Change, apply_changes
from expost.state.definition_details import Details, details
from expost.state.definitions import Draft, SavedDefinition, all_versions
from expost.state.names import name_key

from .calendar import Calendar
from .definition import Definition
from .definition_file import SUFFIX, FiledDefinition, file_name, parse_file, read_toml, write_file
from .interval import ALWAYS, in_force
from .saved import check_definition, definition_of
from .selector_sql import ENGINE_VERSION

MOST_BYTES = 1_000_000
Kind = Literal["new", "changed", "archived", "same"]


@dataclass(frozen=True, slots=True)
class Planned:
    """What applying the files does to one definition, said in `lines`: `- ` what goes, `+ ` what comes."""

    name: str
    kind: Kind
    file: str
    lines: tuple[str, ...]
    change: Change


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a folder does to a site. `without_file` are definitions that it does not touch."""

    site: str
    planned: tuple[Planned, ...]
    without_file: tuple[str, ...]

    @property
    def changes(self) -> tuple[Planned, ...]:
        """Those that are not the same already."""
        return tuple(each for each in self.planned if each.kind != "same")

    def to_json(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "definitions": [
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


def export_folder(state: State, site: str, calendar: Calendar, folder: Path) -> list[Written]:
    """Write one file for each definition of a site. A file that says the same already stays as it is."""
    saved = _saved(state, site)
    folder.mkdir(parents=True, exist_ok=True)
    texts = _texts(folder)
    named = _files_by_name(texts)
    written = []
    for key, filed in saved.items():
        file = named.get(key) or file_name(filed.name)
        before = texts.get(file, "")
        if before and key not in named:
            raise InvalidInput(
                f"{folder / file} is the file of {filed.name!r}, but it holds something else.",
                hint="Move it away, or export into another folder.",
            )
        is_same = bool(before) and _says(before, file, calendar) == _said_by(filed)
        if not is_same:
            _write(folder / file, write_file(filed, before))
        written.append(Written(filed.name, file, not is_same))
    return written


def plan_folder(
    state: State, site: str, calendar: Calendar, folder: Path, *, archives_missing: bool = False
) -> Plan:
    """What applying the folder would do. Every file is read and checked first; one that is wrong stops all."""
    saved = _saved(state, site)
    latest = {name_key(versions[-1].name): versions[-1].version for versions in all_versions(state, site)}
    planned: dict[str, Planned] = {}
    for file, text in _texts(folder, must_exist=True).items():
        filed = parse_file(text, file, calendar, check_definition)
        key = name_key(filed.name)
        if key in planned:
            raise InvalidInput(
                f"{planned[key].file} and {file} both define {filed.name!r}.",
                hint="Names are compared without regard to case. Leave one of the two files out.",
            )
        planned[key] = _planned(filed, file, saved.get(key), latest.get(key, 0))
    missing = {
        key: filed for key, filed in saved.items() if key not in planned and not filed.details.archived
    }
    if archives_missing:
        planned |= {key: _archived(filed, latest[key]) for key, filed in missing.items()}
        missing = {}
    return Plan(site, tuple(planned.values()), tuple(filed.name for filed in missing.values()))


def apply_plan(state: State, plan: Plan, *, clock: Clock, by: Actor = NOBODY) -> None:
    """Do what was planned, all of it or nothing."""
    changes = [each.change for each in plan.changes]
    apply_changes(state, plan.site, changes, engine=ENGINE_VERSION, clock=clock, by=by)


def _saved(state: State, site: str) -> dict[str, FiledDefinition]:
    """Every definition as its file says it: the versions that count at some time, and the details."""
    told = details(state, site)
    return {
        name_key(versions[-1].name): FiledDefinition(
            versions[-1].name, _counting(versions), told.get(name_key(versions[-1].name), Details())
        )
        for versions in all_versions(state, site)
    }


def _counting(versions: Sequence[SavedDefinition]) -> tuple[Definition, ...]:
    pieces, _ = in_force(versions)
    numbers = {version.version for version, _ in pieces}
    return tuple(definition_of(each) for each in versions if each.version in numbers)


def _planned(filed: FiledDefinition, file: str, saved: FiledDefinition | None, latest: int) -> Planned:
    if saved is None:
        lines = [f"+ {_said(each)}" for each in filed.versions] + _detail_lines(Details(), filed.details)
        return Planned(filed.name, "new", file, tuple(lines), _change(filed, filed.versions, latest))
    lines = []
    drafts: Sequence[Definition] = ()
    starts_over = False
    wanted, have = filed.meanings(), saved.meanings()
    if wanted != have:
        is_longer = wanted[: len(have)] == have
        drafts = filed.versions[len(have) :] if is_longer else filed.versions
        starts_over = not is_longer
        lines = [f"- {_said(each)}" for each in saved.versions if not is_longer]
        lines += [f"+ {_said(each)}" for each in drafts]
    lines += _detail_lines(saved.details, filed.details)
    is_archived = filed.details.archived and not saved.details.archived
    kind: Kind = "archived" if is_archived else "changed" if lines else "same"
    return Planned(
        filed.name, kind, file, tuple(lines), _change(filed, drafts, latest, starts_over=starts_over)
    )


def _archived(saved: FiledDefinition, latest: int) -> Planned:
    told = saved.details
    archived = Details(told.owner, told.tags, told.note, archived=True)
    change = Change(saved.name, (), archived, latest)
    return Planned(saved.name, "archived", "", ("+ archived: it has no file",), change)


def _change(
    filed: FiledDefinition, versions: Sequence[Definition], latest: int, *, starts_over: bool = False
) -> Change:
    """The versions that become new ones. The first ends all before it, where a file says other versions."""
    drafts = tuple(
        Draft(
            filed.name,
            each.body(),
            each.interval.start,
            each.interval.end,
            starts_over=starts_over and number == 0 and each.interval != ALWAYS,
        )
        for number, each in enumerate(versions)
    )
    return Change(filed.name, drafts, filed.details, latest)


def _said(version: Definition) -> str:
    return f"{version}, valid {version.interval}" if version.interval.is_bounded else str(version)


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


def _says(text: str, file: str, calendar: Calendar) -> object:
    try:
        return _said_by(parse_file(text, file, calendar))
    except InvalidInput:
        # It says something that is no definition any more: it is written again.
        return None


def _said_by(filed: FiledDefinition) -> object:
    return filed.name, filed.meanings(), filed.details


def _texts(folder: Path, *, must_exist: bool = False) -> dict[str, str]:
    """The text of every definition file in the folder, by file name and in that order."""
    if must_exist and not folder.is_dir():
        raise InvalidInput(
            f"There is no folder {folder}.", hint="Make one with: expost definitions export DIR"
        )
    texts = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            raw = path.read_bytes()
            if len(raw) > MOST_BYTES:
                raise InvalidInput(f"{path} has {len(raw):,} bytes; a definition has at most {MOST_BYTES:,}.")
            texts[path.name] = raw.decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as problem:
            raise InvalidInput(f"{path} cannot be read: {problem}.") from problem
    return texts


def _write(path: Path, text: str) -> None:
    """Put the text there whole: whoever reads meanwhile sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)
