"""From the text of a selector to its parse tree, or to an error that names the token that is refused.

What a browser would call invalid is refused, and so is what is valid but cannot be answered exactly: a selector never
matches nothing in silence. `:is()` and `:where()` forgive invalid parts in browsers; here these are refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn, cast

from tinycss2 import parse_component_value_list, serialize
from tinycss2.nth import parse_nth

from expost.errors import SelectorError

from . import refusal
from .css import ascii_lower
from .refusal import MAX_CHARACTERS, MAX_CONDITIONS, MAX_NESTING, MAX_STEP, Refusal
from .selector import (
    AnyOf,
    Attribute,
    Class,
    Combinator,
    Complex,
    Compound,
    Id,
    Not,
    Only,
    Operator,
    Position,
    Root,
    Selector,
    Sensitivity,
    Simple,
    State,
    Type,
    Universal,
)
from .state_sql import STATES

Token = Any  # tinycss2 ships no types


_OPERATORS: dict[str, Operator] = {each: each for each in ("=", "~=", "|=", "^=", "$=", "*=")}
_COMBINATORS: dict[str, Combinator] = {">": ">", "+": "+", "~": "~"}
_FLAGS: dict[str, Sensitivity] = {"i": "i", "s": "s"}
_BREAKS = {"bad-string": "a quote is not closed on its line.", "bad-url": "url() is not closed."}
_BROKEN = {"bad-string": "a quote", "bad-url": "url("}
_ENDS: dict[str, tuple[bool, bool]] = {
    "first-child": (False, False), "last-child": (False, True),
    "first-of-type": (True, False), "last-of-type": (True, True),
}  # fmt: skip
_NTH: dict[str, tuple[bool, bool]] = {
    "nth-child": (False, False), "nth-last-child": (False, True),
    "nth-of-type": (True, False), "nth-last-of-type": (True, True),
}  # fmt: skip


def parse(text: str) -> Selector:
    """The parse tree of `text`, or a SelectorError that says which token is refused and where it stands.

    >>> str(parse("form.signup>button[type=submit]"))
    'form.signup > button[type="submit"]'
    """
    return _Parser(text).selector()


class _Parser:
    """Holds the text, to say where a token stands, and the number of conditions read so far."""

    def __init__(self, text: str) -> None:
        # As CSS reads its input; a lone surrogate can be typed in JSON but not bound in SQL.
        self.text = text = re.sub("[\ud800-\udfff]", "\ufffd", text)
        if len(text) > MAX_CHARACTERS:
            self.refuse(MAX_CHARACTERS, "…", refusal.TOO_LONG)
        self.conditions = 0
        # tinycss2 counts lines and columns after it has made one character of every line break.
        self.lines = [0]
        for place, character in enumerate(text):
            if character in "\n\f" or (character == "\r" and text[place + 1 : place + 2] != "\n"):
                self.lines.append(place + 1)

    def selector(self) -> Selector:
        tokens = parse_component_value_list(self.text, skip_comments=True)
        self.refuse_depth(tokens)
        return Selector(self.alternatives(tokens, start=0, nesting=0), self.text)

    def refuse_depth(self, tokens: Sequence[Token]) -> None:
        """Refuse brackets in brackets, level by level: tinycss2 writes them by recursion."""
        level = list(tokens)
        for _ in range(MAX_NESTING + 2):
            level = [inside for token in level for inside in _content(token)]
        if level:
            self.refuse_token(level[0], refusal.TOO_DEEP, name="(")

    def alternatives(self, tokens: Sequence[Token], *, start: int, nesting: int) -> tuple[Complex, ...]:
        if nesting > MAX_NESTING:
            self.refuse(start, "(", refusal.TOO_DEEP)
        if not _trimmed(tokens):
            if nesting == 0:
                self.refuse(0, "", refusal.EMPTY)
            self.refuse(start, self.text[start : start + 1] or "the end", refusal.EMPTY_LIST)
        found: list[Complex] = []
        begin = 0
        for place, token in enumerate([*tokens, None]):
            if token is None or _is(token, ","):
                part = _trimmed(tokens[begin:place])
                if not part:
                    at = token if token is not None else tokens[begin - 1]
                    self.refuse_token(at, refusal.NO_SELECTOR)
                found.append(self.complex(part, nesting))
                begin = place + 1
        return tuple(found)

    def complex(self, tokens: Sequence[Token], nesting: int) -> Complex:
        compounds: list[Compound] = []
        combinators: list[Combinator] = []
        place = 0
        while True:
            compound, place = self.compound(tokens, place, nesting)
            compounds.append(compound)
            if place == len(tokens):
                return Complex(tuple(compounds), tuple(combinators))
            combinator, place = self.combinator(tokens, place)
            combinators.append(combinator)

    def combinator(self, tokens: Sequence[Token], place: int) -> tuple[Combinator, int]:
        """The combinator that starts at a space or a sign, and the place after it."""
        while tokens[place].type == "whitespace":
            place += 1
        token = tokens[place]
        if not _is_combinator(token):
            return " ", place
        place += 1
        while place < len(tokens) and tokens[place].type == "whitespace":
            place += 1
        if place == len(tokens):
            self.refuse_token(token, refusal.NO_SELECTOR)
        return _COMBINATORS[token.value], place

    def compound(self, tokens: Sequence[Token], place: int, nesting: int) -> tuple[Compound, int]:
        begin = place
        conditions: list[Simple] = []
        while (
            place < len(tokens) and tokens[place].type != "whitespace" and not _is_combinator(tokens[place])
        ):
            condition, place = self.simple(tokens, place, nesting, is_first=place == begin)
            self.conditions += 1
            if self.conditions > MAX_CONDITIONS:
                self.refuse_token(tokens[place - 1], refusal.TOO_MANY)
            conditions.append(condition)
        if not conditions:
            self.refuse_token(tokens[place], refusal.NO_SELECTOR)
        return Compound(tuple(conditions)), place

    def simple(
        self, tokens: Sequence[Token], place: int, nesting: int, *, is_first: bool
    ) -> tuple[Simple, int]:
        """The condition that starts at `place`, and the place after it."""
        token = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if _is(following, "|") or _is(token, "|"):
            self.refuse_token(
                token, refusal.NAMESPACE, name="".join(map(_written, tokens[place : place + 2]))
            )
        if token.type == "ident" or _is(token, "*"):
            if not is_first:
                self.refuse_token(token, refusal.NAME_FIRST)
            return (Universal() if _is(token, "*") else Type(token.value)), place + 1
        if token.type == "hash":
            if not token.is_identifier:
                why = Refusal("an id that starts with a digit is escaped.", _digit_hint(token.value))
                self.refuse_token(token, why)
            return Id(token.value), place + 1
        if _is(token, "."):
            if following is not None and following.type == "unicode-range":
                self.refuse_token(following, refusal.RANGE, name="u+")
            if following is None or following.type != "ident":
                self.refuse_token(token, refusal.NO_CLASS)
            return Class(following.value), place + 2
        if token.type == "[] block":
            return self.attribute(token), place + 1
        if _is(token, ":"):
            return self.pseudo(tokens, place, nesting)
        return self.refuse_other(token)

    def refuse_other(self, token: Token) -> NoReturn:
        text = _written(token)
        if token.type == "unicode-range":
            self.refuse_token(token, refusal.RANGE, name="u+")
        if text == "||":
            self.refuse_token(token, refusal.COLUMN)
        if text == "&":
            self.refuse_token(token, refusal.NESTING)
        if token.type in ("number", "dimension", "percentage"):
            hint = "A class that starts with a digit is escaped: .\\31 0 is the class 10."
            self.refuse_token(token, Refusal("no selector starts with a number.", hint))
        if token.type == "error":
            reason = _BREAKS.get(token.kind, "this bracket was never opened.")
            self.refuse_token(
                token, Refusal(f"the text ends or breaks here: {reason}", "Close what is open.")
            )
        self.refuse_token(token, refusal.NO_MEANING)

    def attribute(self, block: Token) -> Attribute:
        tokens = _trimmed(block.content)
        if not tokens:
            self.refuse_token(block, refusal.NO_ATTRIBUTE, name=self.brackets(block))
        name = tokens[0]
        if _written(name) in ("|", "*") or (len(tokens) > 1 and _is(tokens[1], "|")):
            self.refuse_token(name, refusal.NAMESPACE, name="".join(map(_written, tokens[:2])))
        if name.type != "ident":
            self.refuse_token(name, refusal.NO_ATTRIBUTE)
        why = refusal.of_attribute(name.value)
        if why:
            self.refuse_token(name, why)
        rest = _trimmed(tokens[1:])
        if not rest:
            return Attribute(name.value)
        return self.comparison(name.value, rest)

    def comparison(self, name: str, tokens: Sequence[Token]) -> Attribute:
        operator = tokens[0]
        if operator.type != "literal" or operator.value not in _OPERATORS:
            self.refuse_token(
                operator, Refusal("no such comparison is known.", f"Known: {' '.join(_OPERATORS)}.")
            )
        tokens = _trimmed(tokens[1:])
        if not tokens:
            self.refuse_token(operator, refusal.NO_VALUE)
        value, *rest = tokens
        if value.type not in ("ident", "string"):
            self.refuse_token(
                value, Refusal("a value that is no plain word stands in quotes.", 'As in [name="a b"].')
            )
        sensitivity: Sensitivity | None = None
        # A string that the end of the text closes is followed by a note of that; browsers accept it.
        flags = [token for token in rest if token.type != "whitespace" and not _is_end(token)]
        if flags:
            sensitivity = _FLAGS.get(ascii_lower(flags[0].value)) if flags[0].type == "ident" else None
            if sensitivity is None:
                self.refuse_token(flags[0], refusal.ONE_FLAG)
            if len(flags) > 1:
                self.refuse_token(flags[1], refusal.ONE_FLAG)
        return Attribute(name, _OPERATORS[operator.value], value.value, sensitivity)

    def pseudo(self, tokens: Sequence[Token], place: int, nesting: int) -> tuple[Simple, int]:
        colon = tokens[place]
        rest = list(tokens[place + 1 : place + 3])
        if rest and _is(rest[0], ":"):
            name = _name(rest[1]) if len(rest) > 1 else ""
            self.refuse_token(colon, refusal.PART, name=f"::{name}")
        if not rest or rest[0].type not in ("ident", "function"):
            self.refuse_token(colon, refusal.NO_PSEUDO_CLASS)
        token = rest[0]
        if token.type == "function":
            return self.function(colon, token, nesting), place + 2
        return self.keyword(colon, token), place + 2

    def keyword(self, colon: Token, token: Token) -> Simple:
        name = ascii_lower(token.value)
        if name in _ENDS:
            return Position(name, *_ENDS[name], 0, 1)
        if name == "root":
            return Root()
        if name in STATES:
            return State(name)
        if name in ("only-child", "only-of-type"):
            return Only(of_type=name == "only-of-type")
        if name in _NTH or name in ("not", "is", "where"):
            self.refuse_token(
                colon, Refusal("its argument is missing.", f"As in :{name}(…)."), name=f":{name}"
            )
        return self.refuse_token(colon, refusal.of_pseudo_class(name), name=f":{token.value}")

    def function(self, colon: Token, token: Token, nesting: int) -> Simple:
        name = token.lower_name
        if name in _NTH:
            return self.position(name, token)
        if name in ("not", "is", "where"):
            start = self.offset(token) + len(token.name)
            alternatives = self.alternatives(token.arguments, start=start, nesting=nesting + 1)
            return Not(alternatives) if name == "not" else AnyOf(name, alternatives)
        without = name in _ENDS or name in STATES or name in ("root", "only-child", "only-of-type")
        why = refusal.NO_ARGUMENT if without else refusal.of_pseudo_class(name)
        return self.refuse_token(colon, why, name=f":{token.name}()")

    def position(self, name: str, token: Token) -> Position:
        for argument in token.arguments:
            if argument.type == "ident" and ascii_lower(argument.value) == "of":
                self.refuse_token(argument, refusal.OF_SELECTOR)
        try:
            found = parse_nth(token.arguments)
        except (AttributeError, StopIteration):
            # tinycss2 1.5 takes it that a token follows a sign: "2n +" and "+" have none.
            found = None
        if found is None:
            at = (_trimmed(token.arguments) or [token])[0]
            written = _as_typed(serialize(token.arguments)).strip() or "()"
            why = Refusal("this is no position.", "A number, odd, even, or a formula such as 2n+1.")
            self.refuse_token(at, why, name=written)
        step, offset = found
        if max(abs(step), abs(offset)) > MAX_STEP:
            why = refusal.TOO_FAR
            self.refuse_token(token.arguments[0], why, name=_as_typed(serialize(token.arguments)).strip())
        return Position(name, *_NTH[name], step, offset)

    def offset(self, token: Token) -> int:
        """Where `token` starts in the text as it was typed."""
        line, column = int(token.source_line), int(token.source_column)
        return min(self.lines[line - 1] + column - 1, len(self.text))

    def brackets(self, block: Token) -> str:
        """Empty brackets as they were typed: CSS closes what the end of the text leaves open."""
        return "[]" if re.match(r"\[\s*\]", self.text[self.offset(block) :]) else "["

    def refuse_token(self, token: Token, why: Refusal, *, name: str | None = None) -> NoReturn:
        self.refuse(self.offset(token), _written(token) if name is None else name, why)

    def refuse(self, offset: int, name: str, why: Refusal) -> NoReturn:
        raise SelectorError(self.text, offset, name, why.reason, hint=why.hint)


def _trimmed(tokens: Sequence[Token]) -> list[Token]:
    """Without white space at both ends, and without the note that the text ended inside a string."""
    kept = [token for token in tokens if not _is_end(token)]
    while kept and kept[0].type == "whitespace":
        kept.pop(0)
    while kept and kept[-1].type == "whitespace":
        kept.pop()
    return kept


def _content(token: Token) -> Sequence[Token]:
    return cast(Sequence[Token], getattr(token, "content", None) or getattr(token, "arguments", None) or ())


def _is_end(token: Token) -> bool:
    return bool(token.type == "error" and token.kind == "eof-in-string")


def _is(token: Token | None, sign: str) -> bool:
    """Whether the token is this sign."""
    return bool(token == sign)


def _is_combinator(token: Token) -> bool:
    return token.type == "literal" and token.value in _COMBINATORS


def _written(token: Token) -> str:
    """The token as it is named in an error: on one line and not longer than a glance."""
    match token.type:
        case "function":
            text = f"{token.name}()"
        case "error":
            text = _BROKEN.get(token.kind, str(token.kind))
        case "{} block":
            text = "{"
        case _:
            text = _as_typed(token.serialize())
    return text if len(text) <= 60 else text[:59] + "…"


def _as_typed(text: str) -> str:
    """Without the empty comments that tinycss2 writes between tokens that would run together."""
    return text.replace("/**/", "")


def _name(token: Token) -> str:
    return f"{token.name}()" if token.type == "function" else _written(token)


def _digit_hint(value: str) -> str:
    return f"Write #\\3{value[0]} {value[1:]}." if value[:1].isdigit() else "For example: #buy"
