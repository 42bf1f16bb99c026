"""Attempts of a funnel as its statements see them: the steps, the starts that are carried, the readings shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .duration import micros
from .funnel import Stage
from .statement import Fragment


@dataclass(frozen=True, slots=True)
class StepShape:
    """One step. `before` and `after` are the required steps around it (0: none), `within` microseconds (0: any)."""

    number: int
    before: int
    after: int
    within: int
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Start:
    """A start that is carried: of all events or those after an exposure, of all entries or complete ones."""

    name: Fragment
    suffix: Fragment
    only: Fragment
    is_exposed: bool
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A reading of a unit's events of which an attempt is shown: the names of its two starts."""

    suffix: Fragment
    only: Fragment
    is_exposed: bool
    start: Fragment
    complete: Fragment


def shapes_of(stages: Sequence[Stage]) -> tuple[StepShape, ...]:
    """The steps with their neighbours."""
    required = [number for number, stage in enumerate(stages, 1) if not stage.optional]
    return tuple(
        StepShape(
            number=number,
            before=max((each for each in required if each < number), default=0),
            after=min((each for each in required if each > number), default=0),
            within=micros(stage.within) if stage.within is not None else 0,
            is_optional=stage.optional,
        )
        for number, stage in enumerate(stages, 1)
    )


def starts_of(*, by_flag: bool) -> tuple[Start, ...]:
    """The starts that one pass carries."""
    return tuple(
        Start(
            Fragment(f"start{suffix}{'_complete' if is_complete else ''}"),
            Fragment(suffix),
            Fragment(" and is_after_exposure" if suffix else ""),
            bool(suffix),
            is_complete,
        )
        for suffix in _suffixes(by_flag)
        for is_complete in (False, True)
    )


def shown_of(*, by_flag: bool) -> tuple[Shown, ...]:
    """The readings of which attempts are shown."""
    return tuple(
        Shown(
            Fragment(suffix),
            Fragment(" and is_after_exposure" if suffix else ""),
            bool(suffix),
            Fragment(f"start{suffix}"),
            Fragment(f"start{suffix}_complete"),
        )
        for suffix in _suffixes(by_flag)
    )


def _suffixes(by_flag: bool) -> tuple[str, ...]:
    return ("", "_exposed") if by_flag else ("",)
