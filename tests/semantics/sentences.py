"""Which cases hold which sentence of docs/rules.md: `sentences.toml`, read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "rules.md"
ASKED = ("1", "3", "4", "5", "6", "7")
"""The sections that questions about a story can show; a browser shows what is in section 2."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the item `of` (`5.3`), which begins as it `says`, with what holds it."""

    of: str
    says: str
    cases: tuple[str, ...]
    tests: tuple[str, ...]
    not_built: str | None


def read_sentences() -> tuple[Sentence, ...]:
    """The index as it is written, with ranges of cases spelled out."""
    written = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text(encoding="utf-8"))
    return tuple(
        Sentence(
            each["of"],
            each["says"],
            tuple(name for named in each.get("cases", ()) for name in _spelled_out(named)),
            tuple(each.get("tests", ())),
            each.get("not_built"),
        )
        for each in written["sentence"]
    )


def sentences_of_the_page() -> Iterator[tuple[str, str]]:
    """The sentences of the sections in ASKED: each with its item."""
    for section in RULES.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        if heading[0] in ASKED:
            for number, text in re.findall(r"^(\d)\. (.*?)(?=^\d\. |\Z)", body, re.MULTILINE | re.DOTALL):
                for sentence in re.split(r"(?<=\.)\s+(?=[A-Z`(])", " ".join(text.split())):
                    yield f"{heading[0]}.{number}", sentence


def items_of(case: str) -> Sequence[str]:
    """The items of docs/rules.md that a case holds something of."""
    return _items().get(case, ())


@cache
def _items() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for sentence in read_sentences():
        for case in sentence.cases:
            found.setdefault(case, {})[sentence.of] = None
    return {case: tuple(items) for case, items in found.items()}


def _spelled_out(named: str) -> Iterator[str]:
    """The names in a range.

    >>> list(_spelled_out("order-2..4")), list(_spelled_out("order-6"))
    (['order-2', 'order-3', 'order-4'], ['order-6'])
    """
    file, _, numbers = named.rpartition("-")
    first, _, last = numbers.partition("..")
    yield from (f"{file}-{number}" for number in range(int(first), int(last or first) + 1))
