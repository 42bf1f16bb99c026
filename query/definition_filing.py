"""The definitions of a site as files."""

from __future__ import annotations

from collections.abc import Sequence

from expost.state.database import State
from expost.state.definitions import SHELF, SavedDefinition, all_versions, definition_draft
from expost.state.details import Details, details
from expost.state.names import name_key

from .calendar import Calendar
from .definition import Definition
from .definition_file import FiledDefinition, parse_file, write_file
from .file_folder import Difference, Filing
from .interval import ALWAYS, in_force
from .saved import check_definition, definition_of
from .selector_sql import ENGINE_VERSION


def definition_filing(state: State, site: str, calendar: Calendar) -> Filing[FiledDefinition]:
    """Every definition as its file says it: the versions that count at some time, and the details."""
    told, kept = details(state, SHELF, site), all_versions(state, site)
    by_key = {name_key(versions[-1].name): versions for versions in kept}
    return Filing(
        site=site,
        noun=SHELF.noun,
        saved={
            key: FiledDefinition(versions[-1].name, _counting(versions), told.get(key, Details()))
            for key, versions in by_key.items()
        },
        latest={key: versions[-1].version for key, versions in by_key.items()},
        parse=lambda text, file: parse_file(text, file, calendar),
        check=lambda text, file: parse_file(text, file, calendar, check_definition),
        write=write_file,
        says=FiledDefinition.meanings,
        difference=_difference,
    )


def _counting(versions: Sequence[SavedDefinition]) -> tuple[Definition, ...]:
    pieces, _ = in_force(versions)
    numbers = {version.version for version, _ in pieces}
    return tuple(definition_of(each) for each in versions if each.version in numbers)


def _difference(filed: FiledDefinition, saved: FiledDefinition | None) -> Difference:
    """The versions that become new ones. The first ends all before it, where a file says other versions."""
    wanted, have = filed.meanings(), saved.meanings() if saved else []
    is_longer = wanted[: len(have)] == have
    versions = filed.versions[len(have) :] if is_longer else filed.versions
    lines = [f"- {_said(each)}" for each in saved.versions] if saved and not is_longer else []
    lines += [f"+ {_said(each)}" for each in versions]
    drafts = [
        definition_draft(
            filed.name,
            each.body(),
            engine=ENGINE_VERSION,
            valid_from=each.interval.start,
            valid_until=each.interval.end,
            starts_over=not is_longer and number == 0 and each.interval != ALWAYS,
        )
        for number, each in enumerate(versions)
    ]
    return lines, drafts


def _said(version: Definition) -> str:
    return f"{version}, valid {version.interval}" if version.interval.is_bounded else str(version)
