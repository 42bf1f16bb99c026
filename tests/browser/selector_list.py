"""Selectors for the pages in `selector_pages`: by hand where rules differ, and drawn from the words of pages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expost.query.css import escape_identifier, quote_string
from expost.query.state_sql import STATES

BY_HAND = Path(__file__).parent / "selectors.txt"


def by_hand() -> list[str]:
    """The selectors of `selectors.txt`, one a line."""
    return list(dict.fromkeys(BY_HAND.read_text().splitlines()))


def drawn(words: dict[str, Any], count: int, seed: int) -> list[str]:
    """Selectors of the whole grammar from the tags, ids, classes and attributes of pages, with near misses."""
    drawing = _Drawing(words, random.Random(seed))
    return [
        ", ".join(drawing.complex(2) for _ in range(drawing.chance.choice([1, 1, 1, 2])))
        for _ in range(count)
    ]


@dataclass
class _Drawing:
    words: dict[str, Any]
    chance: random.Random

    def complex(self, depth: int) -> str:
        text = self.compound(depth)
        for _ in range(self.chance.choice([0, 0, 0, 1, 1, 2])):
            text += self.chance.choice([" ", " ", " > ", " + ", " ~ "]) + self.compound(depth)
        return text if self.chance.random() < 0.8 else self.beside(text)

    def beside(self, text: str) -> str:
        """Before it something that stands beside something in a page, so that more is found than missed."""
        left, right = self.chance.choice(self.words["neighbours"])
        return f"{left}{self.chance.choice([' + ', ' ~ '])}{right}{self.chance.choice([' ', ' > ', ' ~ ', ', '])}{text}"

    def compound(self, depth: int) -> str:
        tag = self.flipped(self.chance.choice([*self.words["tags"], "*", "", "", ""]))
        kinds = [self.a_class, self.a_class, self.a_class, self.an_id, self.an_attribute, self.an_attribute]
        kinds += [self.a_place, self.a_place, self.an_end, self.a_state] + [
            lambda: self.nested(depth - 1)
        ] * bool(depth)
        conditions = [self.chance.choice(kinds)() for _ in range(self.chance.choice([0, 1, 1, 1, 2, 2, 3]))]
        return (tag if tag == "*" else escape_identifier(tag)) + "".join(conditions) or "*"

    def flipped(self, text: str) -> str:
        return text.swapcase() if self.chance.random() < 0.08 else text

    def a_class(self) -> str:
        return "." + escape_identifier(self.flipped(self.chance.choice(self.words["classes"])))

    def an_id(self) -> str:
        return "#" + escape_identifier(self.flipped(self.chance.choice(self.words["ids"])))

    def a_place(self) -> str:
        name = self.chance.choice(["nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"])
        step, offset = self.chance.randrange(-3, 4), self.chance.randrange(-2, 7)
        return f":{name}({step}n{offset:+d})" if self.chance.random() < 0.6 else f":{name}({offset})"

    def an_end(self) -> str:
        ends = [
            "first-child",
            "last-child",
            "only-child",
            "first-of-type",
            "last-of-type",
            "only-of-type",
            "root",
        ]
        return ":" + self.chance.choice(ends)

    def a_state(self) -> str:
        return ":" + self.chance.choice(STATES)

    def nested(self, depth: int) -> str:
        inside = ", ".join(self.complex(depth) for _ in range(self.chance.randrange(1, 4)))
        return f":{self.chance.choice(['not', 'not', 'is', 'where'])}({inside})"

    def an_attribute(self) -> str:
        name, value = self.chance.choice(self.words["attributes"])
        name = escape_identifier(self.flipped(name))
        operator = self.chance.choice(["", "=", "~=", "|=", "^=", "$=", "*="])
        if not operator:
            return f"[{name}]"
        start = self.chance.randrange(len(value) + 1)
        word = self.chance.choice(value.split() or [""])
        parts = {"^=": value[:start], "$=": value[start:], "*=": value[start : start + 4], "~=": word}
        part = value.partition("-")[0] if operator == "|=" else parts.get(operator, value)
        return f"[{name}{operator}{quote_string(self.flipped(part))}{self.chance.choice(['', '', ' i'])}]"
