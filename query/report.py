"""Reports: questions under a name, as they are kept and as they are asked again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from expost.errors import InvalidInput
from expost.state.details import Details
from expost.state.reports import REPORTS
from expost.state.shelf import Kept

from .fields import fields_of
from .form import Form
from .form_funnel import FUNNEL, funnel_of
from .form_retention import RETENTION, retention_of
from .form_sessions import SESSIONS, sessions_of
from .form_trend import TREND, trend_of
from .form_ways import LIFECYCLE, PATHS, STICKINESS, lifecycle_of, paths_of, stickiness_of
from .funnel import Funnel
from .lifecycle import Lifecycle
from .paths import Paths
from .question import Question, compared_cohort
from .retention import Retention
from .sessions import Sessions
from .stickiness import Stickiness
from .trend import Trend
from .word import Word

RANGE = ("from", "to", "last")
OVER = (*RANGE, "time_zone", "week_start", "as_of", "environment", "bots", "internal")
"""What may be said over a report when it is asked. One part of the range replaces all of it."""


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A kind of question that is kept: its type, its words, what reads them, and those that name definitions."""

    type: type[Question]
    words: tuple[Word, ...]
    read: Callable[[Form], Question]
    definitions: tuple[str, ...]


KINDS: Mapping[str, ReportKind] = {
    "funnel": ReportKind(Funnel, FUNNEL, funnel_of, ("step", "between", "ends_attempt", "removes_unit")),
    "retention": ReportKind(Retention, RETENTION, retention_of, ("start_event", "return_event")),
    "trend": ReportKind(Trend, TREND, trend_of, ("name", "per")),
    "stickiness": ReportKind(Stickiness, STICKINESS, stickiness_of, ("name",)),
    "lifecycle": ReportKind(Lifecycle, LIFECYCLE, lifecycle_of, ("name",)),
    "paths": ReportKind(Paths, PATHS, paths_of, ("name", "event")),
    "sessions": ReportKind(Sessions, SESSIONS, sessions_of, ("did",)),
}
ABOUT = ("step", "start_event", "return_event", "name", "did")
"""The words that name what a question is about, in the order in which it is said."""


@dataclass(frozen=True, slots=True)
class Report:
    """A question under a name; once saved with its version, author and time.

    A definition that it names by `Signed up@2` is pinned: later versions do not count. Others follow their latest one.
    """

    shelf = REPORTS

    name: str
    question: Question
    version: int | None = None
    author: str = ""
    created_at: int | None = None
    details: Details = Details()  # noqa: RUF009 - frozen

    @property
    def kind(self) -> str:
        """Which kind of question it is."""
        return kind_of(self.question)

    @property
    def fields(self) -> Form:
        """The question as a form."""
        return fields_of(self.question)

    @property
    def definitions(self) -> tuple[str, ...]:
        """The definitions it names, each once, a pinned one with its version."""
        form = self.fields
        named = [name for field in KINDS[self.kind].definitions for name in form.get(field, ())]
        return tuple(dict.fromkeys(named))

    @property
    def cohorts(self) -> tuple[str, ...]:
        """The cohorts it names."""
        form = self.fields
        named = [*form.get("cohort", ()), *form.get("not_cohort", ())]
        named += [text.removeprefix("cohort:") for text in form.get("by", ()) if text.startswith("cohort:")]
        beside = (compared_cohort(text) for text in form.get("compare", ()))
        named += [name for name in beside if isinstance(name, str)]
        return tuple(dict.fromkeys(named))

    def body(self) -> dict[str, Any]:
        """What is kept of it as one version."""
        return {"kind": self.kind, "fields": {name: list(values) for name, values in self.fields.items()}}

    def asked(self, over: Form, site: str | None = None) -> Question:
        """The question, with what is said over it: another range, time zone or moment."""
        return replace(KINDS[self.kind].read(laid_over(self.fields, over)), site=site)

    def __str__(self) -> str:
        about = [name for field in ABOUT for name in self.fields.get(field, ())]
        # Retention of one thing has it as its start and as its return: it is said once.
        if self.kind == "retention":
            about = list(dict.fromkeys(about))
        # What a breakdown says of itself unasked is not said either.
        least = {field: self.fields[field] for field in (*ABOUT, "by") if field in self.fields}
        bare = fields_of(KINDS[self.kind].read(least))
        more = [
            f"{name.replace('_', ' ')} {', '.join(values)}"
            for name, values in self.fields.items()
            if name not in ABOUT and (name == "by" or bare.get(name, ()) != values)
        ]
        said = f"{self.kind} of {', '.join(about)}" if about else self.kind
        return f"{said} ({'; '.join(more)})" if more else said

    def to_json(self) -> dict[str, Any]:
        """The report with all that is kept of it."""
        from .saved import said_at

        return (
            {"name": self.name, "version": self.version}
            | self.body()
            | {
                "definitions": list(self.definitions),
                "meaning": str(self),
                "author": self.author,
                "created_at": None if self.created_at is None else said_at(self.created_at),
            }
            | self.details.to_json()
        )

    @classmethod
    def of_kept(cls, kept: Kept, details: Details = Details()) -> Report:  # noqa: B008 - frozen
        """The report that a version on the shelf is."""
        question = read_question(kept.body["kind"], kept.body["fields"])
        return cls(kept.name, question, kept.version, kept.author, kept.created_at, details)


def kind_of(question: Question) -> str:
    """Which kind of report asks such a question."""
    for name, kind in KINDS.items():
        if kind.type is type(question):
            return name
    raise InvalidInput(
        f"A {type(question).__name__} is no question that is kept.", hint=f"These are: {', '.join(KINDS)}."
    )


def read_question(kind: str, form: Form) -> Question:
    """The question of a kind that a form asks; it says nothing about the site."""
    known = KINDS.get(kind)
    if known is None:
        raise InvalidInput(f"{kind!r} is no kind of report.", hint=f"One of: {', '.join(KINDS)}.")
    return replace(known.read({name: values for name, values in form.items() if name != "site"}), now=None)


def report_of(name: str, kind: str, form: Form) -> Report:
    """A report that is not saved yet, in its whole form."""
    question = read_question(kind, form)
    # Once around, so that it says in words what it takes from defaults.
    return Report(name, read_question(kind, fields_of(question)))


def laid_over(fields: Form, over: Form) -> Form:
    """A form with what is said over it: one part of a range replaces all of it, the rest each itself."""
    unknown = sorted(set(over) - set(OVER) - {"site"})
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} cannot be said over a report.", hint=f"What can: {', '.join(OVER)}."
        )
    replaced = set(over) | (set(RANGE) if set(over) & set(RANGE) else set())
    kept = {name: values for name, values in fields.items() if name not in replaced}
    return {**kept, **{name: values for name, values in over.items() if name != "site"}}
