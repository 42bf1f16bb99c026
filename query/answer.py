"""Answers: frozen, able to travel, and the same for the library, the command line, HTTP and the pages.

`to_json()` names every field as it is called here: times as ISO 8601 in UTC, durations as `..._ms`, ids as strings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from expost.errors import InvalidInput

from .question import Question
from .spreadsheet import csv_text

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, slots=True)
class UsedVersion:
    """A version, and from and until when it counted; None: since ever, for ever."""

    version: int
    counted_from: datetime | None
    counted_until: datetime | None


@dataclass(frozen=True, slots=True)
class UsedDefinition:
    """A definition as it took part: `events` matched (in range, where the question has one), `unknown` might have.

    `version` is None for an inline definition, and 0 for what is built in; `engine` is the version of the selector
    engine. `versions` says which versions counted when, where that is not one for all time.
    """

    name: str
    version: int | None
    engine: int
    meaning: str
    events: int
    unknown: int
    versions: tuple[UsedVersion, ...] = ()

    @property
    def named(self) -> str:
        """What an address calls it: what is built in with its version, since another may be saved under its name."""
        return f"{self.name}@{self.version}" if self.version == 0 else self.name


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Matching events that are not counted, by reason; `share` is of all that matched, these included.

    `because` says whether the question or its site leaves them out; it is empty where no setting would count them.
    """

    reason: str
    events: int
    people: int
    share: float
    because: str = ""


@dataclass(frozen=True, slots=True)
class SampledCount:
    """A count of a sample, what it is estimated to be of all, and between which bounds (95 %), where that is known."""

    sample: int
    estimate: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class SampledShare:
    """A share of `n` of a sample, and between which bounds that of all lies (95 %)."""

    n: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sampled:
    """That an answer is an estimate from a share (`rate`) of all, with every count and share by its place in it."""

    rate: float
    counts: Mapping[str, SampledCount]
    shares: Mapping[str, SampledShare] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a number rests on. `sql` is the text that ran; `parameters` are the values it was given.

    `unread` are those of the notes that name files which could not be read and are left out.
    """

    sql: str
    parameters: Mapping[str, Any]
    site: str
    time_zone: str
    now: datetime
    snapshot: Mapping[str, int]
    definitions: tuple[UsedDefinition, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    elapsed_ms: float = 0.0
    sampled: Sampled | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a number is proven by. The same question over the same snapshot has the same `sql_sha256`."""

    rules: tuple[str, ...]
    definitions: tuple[UsedDefinition, ...]
    snapshot: Mapping[str, int]
    sql_sha256: str
    opens: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer(ABC):
    """What every answer has: `question` as asked, and `basis`."""

    question: Question = field(repr=False)
    basis: Basis = field(repr=False)

    @property
    def sql(self) -> str:
        """The text that ran."""
        return self.basis.sql

    @property
    def notes(self) -> tuple[str, ...]:
        """The rules that decided, in words, where a reader would ask."""
        return self.basis.notes

    def to_json(self) -> Any:
        """The fields of the answer, then those of its basis, and last of all the SQL, which is the longest."""
        body = {
            each.name: plain(getattr(self, each.name)) for each in fields(self) if each.name not in _HIDDEN
        }
        basis = cast(dict[str, Any], plain(self.basis))
        text = {name: basis.pop(name) for name in ("parameters", "sql")}
        return body | basis | {"proof": plain(self.proof)} | text

    @property
    def proof(self) -> Proof:
        """What decided: the rules, the versions, the snapshot, a digest of the SQL, and how to see who is behind it."""
        basis = self.basis
        digest = sha256(basis.sql.encode()).hexdigest()
        return Proof(basis.notes, basis.definitions, basis.snapshot, digest, self.opens)

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a number down to its people and events, by door; empty where nobody is behind it."""
        return {}

    @abstractmethod
    def rows(self) -> list[dict[str, Any]]:
        """The answer as one flat table."""

    def to_csv(self) -> str:
        """The rows of `rows()` as CSV for a spreadsheet; a text that looks like a formula is quoted with `'`."""
        rows = self.rows()
        return csv_text(list(rows[0]) if rows else [], rows)

    def to_parquet(self) -> bytes:
        """The rows of `rows()` as a Parquet file."""
        from .parquet import parquet_bytes

        rows = self.rows()
        return parquet_bytes(list(rows[0]) if rows else [], rows)

    def _repr_html_(self) -> str:
        """What a notebook shows: a chart where there is one, else the first rows, and the notes."""
        from .notebook import answer_html

        return answer_html(self)

    def to_polars(self) -> polars.DataFrame:
        """The answer as a Polars frame with the rows of `rows()`."""
        import polars

        return polars.DataFrame(self.rows(), infer_schema_length=None)


_HIDDEN = ("question", "basis", "ask")


def ask_again(answer: Any, question_of: Callable[[Any], Question]) -> Answer:
    """The answer to a question about what was asked, at the moment at which that was answered."""
    if answer.ask is None:
        raise InvalidInput(
            "This answer came from elsewhere.",
            hint="Ask with expost.open(…), or FunnelPeople and the like instead.",
        )
    return cast(Answer, answer.ask(question_of(replace(answer.question, now=answer.basis.now))))


def with_rows_beside(
    rows: list[dict[str, Any]], beside: str | None, compared: Answer | None
) -> list[dict[str, Any]]:
    """The rows of an answer and those of what it stands beside, which say so in a first column; else as they are."""
    if compared is None:
        return rows
    own = ({"beside": None} | row for row in rows)
    return [*own, *({"beside": beside} | row for row in compared.rows())]


def plain(value: Any) -> Any:
    """The value in what JSON knows: ISO 8601 times in UTC, durations in milliseconds, lists, dicts and text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else None
        case datetime():
            moment = value.astimezone(UTC) if value.tzinfo else value
            return moment.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return value / timedelta(milliseconds=1)
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case bytes():
            return value.hex()
        case Iterable():
            return [plain(each) for each in value]
        case Answer():
            return value.to_json()
        case _ if is_dataclass(value):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            return str(value)


def as_row(record: Any) -> dict[str, Any]:
    """The fields of a record, by name."""
    return {each.name: getattr(record, each.name) for each in fields(record)}
