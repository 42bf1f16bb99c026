"""What has no name yet: interactions that no definition matches, each with a button that defines it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.query.form import Form
from expost.query.form_definition import unnamed_of
from expost.query.unnamed import UnnamedAnswer, UnnamedGroup

from .desk import Desk
from .page import render, twin

WORDS = {"click": "clicks on", "change": "changes of", "submit": "submits of"}


@dataclass(frozen=True, slots=True)
class UnnamedRow:
    """One interaction, with the fields of the form that defines it."""

    group: UnnamedGroup
    words: str
    fields: tuple[tuple[str, str], ...]

    @property
    def other_pages(self) -> int:
        """On how many pages it happened beside the one that is named."""
        return self.group.pages - 1

    @property
    def change(self) -> list[tuple[str, str]]:
        """The fields of the form that says the same, to be changed."""
        return [("name", self.group.name), *self.fields]


@dataclass(frozen=True, slots=True)
class UnnamedView:
    """What `unnamed.html` shows."""

    answer: UnnamedAnswer
    rows: tuple[UnnamedRow, ...]
    pairs: tuple[tuple[str, str], ...]
    more_pairs: tuple[tuple[str, str], ...]


def unnamed_view(answer: UnnamedAnswer, form: Form) -> UnnamedView:
    """The interactions, each with what its button sends."""
    pairs = [
        (name, value) for name, values in form.items() if name not in ("site", "limit") for value in values
    ]
    more = [*pairs, ("limit", str(4 * answer.question.limit))] if answer.more else []  # type: ignore[attr-defined]
    return UnnamedView(answer, tuple(map(_row, answer.groups)), tuple(pairs), tuple(more))


def fields_of(group: UnnamedGroup) -> tuple[tuple[str, str], ...]:
    """The conditions of the definition that names a group, in the words of `expost.query.form`."""
    known = group.kind in WORDS
    fields = [(group.kind, group.selector) if known else ("on", f"{group.kind} {group.selector}")]
    fields += [("text", f"is:{group.text}")] if group.text else []
    fields += [("path", f"is:{group.on_path}")] if group.on_path else []
    return tuple(fields)


def add_unnamed(router: APIRouter, desk: Desk) -> None:
    """`/unnamed` and its twins; the buttons send to `/definitions`."""

    @router.get("/unnamed")
    async def unnamed(request: Request) -> Response:
        """The page."""
        form = desk.form_of(request)
        return render(
            desk, request, "unnamed.html", view=unnamed_view(await desk.answer(unnamed_of(form)), form)
        )

    @router.get("/unnamed.json")
    @router.get("/unnamed.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(unnamed_of(desk.form_of(request))))


def _row(group: UnnamedGroup) -> UnnamedRow:
    words = WORDS.get(group.kind, f"{group.kind.replace('_', ' ')} on")
    return UnnamedRow(group, words, fields_of(group))
