"""From a definition to SQL: for every event the answers *surely* and *possibly* (docs/rules.md 2).

Selectors are sets of elements and text and URL patterns are sets of distinct strings; the events join them, so an
expression of a pattern runs once per string, however many events hold it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from textwrap import indent
from types import MappingProxyType
from urllib.parse import quote

from expost.clock import from_micros

from .alternative import Alternative
from .definition import Definition
from .event_column import column_name
from .glob import glob_expression
from .pattern import Pattern, QueryParameter
from .property_match import PropertyMatch
from .selector_parser import parse
from .selector_sql import CompiledSelector, compile_selector
from .statement import Fragment, expressions

# As RE2 and Python both read them. RE2's own class of white space is ASCII only.
ZERO_WIDTH = "200B 200C 200D 2060 FEFF"
SPACES = "09-0D 20 85 A0 1680 2000-200A 2028 2029 202F 205F 3000"
CUT = "…"
EVENTS = Fragment("lake.events")
# Engines move conditions on what is grouped by below the grouping, where they would run for every event. On an
# aggregate they cannot.
_ONCE = "any_value({})"


@dataclass(frozen=True, slots=True)
class UsedSelector:
    """A selector of a definition. `words` say what decides its elements; `relation` is a name for a table of them."""

    words: str
    compiled: CompiledSelector
    relation: str


@dataclass(frozen=True, slots=True)
class CompiledDefinition:
    """SQL for one definition: expressions to put after `with`, and two conditions on a row `e` of lake.events.

    All names and values start with the prefix that was asked for. `has_unknown` is False when both conditions are the
    same.
    """

    ctes: tuple[tuple[str, str], ...]
    parameters: dict[str, object]
    surely: Fragment
    possibly: Fragment
    selectors: tuple[UsedSelector, ...] = ()

    @property
    def has_unknown(self) -> bool:
        """Whether an event may be neither a match nor none."""
        return self.surely != self.possibly

    def expressions(self) -> list[Fragment]:
        """The expressions as they stand in a statement."""
        return expressions(self.ctes)

    def over_elements(self) -> CompiledDefinition:
        """The same, where each selector's `relation` holds its elements or placements, as (place_id, is_sure)."""
        replaced = {name for used in self.selectors for name, _ in used.compiled.ctes}
        kept = [(name, sql) for name, sql in self.ctes if name not in replaced]
        for used in self.selectors:
            of_all = f"select place_id as {used.compiled.grain.id}\nfrom {used.relation}"
            kept += [(used.compiled.surely, f"{of_all}\nwhere is_sure"), (used.compiled.possibly, of_all)]
        return replace(self, ctes=tuple(kept))


def compile_definition(
    definition: Definition,
    prefix: str,
    source: Fragment = EVENTS,
    strings: Mapping[str, Fragment] = MappingProxyType({}),
) -> CompiledDefinition:
    """SQL that finds the events of a definition, in the relation `source` that has their columns.

    `strings` are relations of the different strings of some columns, which are looked through instead of `source`.
    """
    statement = _Statement(prefix, source, strings)
    answers = [
        statement.alternative(alternative, f"{prefix}_{number}" if number > 1 else prefix)
        for number, alternative in enumerate(definition.alternatives, 1)
    ]
    return CompiledDefinition(
        tuple(statement.ctes.items()),
        statement.parameters,
        surely=Fragment(_either(answer.surely for answer in answers)),
        possibly=Fragment(_either(answer.possibly for answer in answers)),
        selectors=tuple(statement.selectors),
    )


def narrowed(found: CompiledDefinition, by: CompiledDefinition) -> CompiledDefinition:
    """What both find: an event that surely is one and the other, or possibly."""
    return CompiledDefinition(
        found.ctes + by.ctes,
        found.parameters | by.parameters,
        surely=Fragment(f"({found.surely}) and ({by.surely})"),
        possibly=Fragment(f"({found.possibly}) and ({by.possibly})"),
        selectors=found.selectors + by.selectors,
    )


def normal_text(text: str) -> str:
    """Text as it is compared: no zero-width characters, Unicode NFC, white space collapsed and trimmed."""
    visible = unicodedata.normalize("NFC", re.sub(_class(ZERO_WIDTH, _PYTHON), "", text))
    return re.sub(f"{_class(SPACES, _PYTHON)}+", " ", visible).strip(" ")


def property_condition(condition: PropertyMatch, prefix: str) -> tuple[Fragment, dict[str, object]]:
    """One condition on the `properties` of a row `e`, and the values that it binds; their names start so."""
    statement = _Statement(prefix)
    return Fragment(statement.property_match(condition, prefix)), statement.parameters


@dataclass(frozen=True, slots=True)
class _Answer:
    surely: str
    possibly: str


@dataclass
class _Statement:
    prefix: str
    source: Fragment = EVENTS
    strings_of: Mapping[str, Fragment] = field(default_factory=dict)
    ctes: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)
    selectors: list[UsedSelector] = field(default_factory=list)
    made: dict[tuple[str, object], _Answer] = field(default_factory=dict)

    def bind(self, name: str, value: object) -> str:
        number, unique = 1, name
        while unique in self.parameters and self.parameters[unique] != value:
            number += 1
            unique = f"{name}_{number}"
        self.parameters[unique] = value
        return f"${unique}"

    def alternative(self, alternative: Alternative, prefix: str) -> _Answer:
        parts = list(self.conditions(alternative, prefix))
        return _Answer(_every(part.surely for part in parts), _every(part.possibly for part in parts))

    def conditions(self, alternative: Alternative, prefix: str) -> Iterable[_Answer]:
        sides = ((">=", "since", alternative.interval.start), ("<", "until", alternative.interval.end))
        for sign, side, micros in sides:
            if micros is not None:
                yield _same(f"e.time {sign} {self.bind(f'{prefix}_{side}', from_micros(micros))}")
        types = sorted(set(alternative.types))
        if types:
            names = [self.bind(f"{prefix}_type", kind) for kind in types]
            yield _same(f"e.type = {names[0]}" if len(names) == 1 else f"e.type in ({', '.join(names)})")
        if alternative.event_name is not None:
            yield _same(f"e.name = {self.bind(f'{prefix}_event_name', alternative.event_name)}")
        if alternative.selector is not None:
            yield self.selector(alternative, prefix)
        if alternative.text is not None:
            label = self.strings(alternative.text, prefix, "label")
            text = self.strings(alternative.text, prefix, "text")
            yield _Answer(_either([label.surely, text.surely]), _either([label.possibly, text.possibly]))
        for column in ("host", "path", "hash"):
            pattern: Pattern | None = getattr(alternative, column)
            if pattern is not None and not (pattern.operator == "glob" and pattern.value in ("/**", "**")):
                yield self.strings(_of_url(pattern, column), prefix, column)
        for number, parameter in enumerate(alternative.query, 1):
            yield self.query_parameter(parameter, f"{prefix}_query_{number}")
        for number, condition in enumerate(alternative.properties, 1):
            yield _same(self.property_match(condition, f"{prefix}_property_{number}"))

    def selector(self, alternative: Alternative, prefix: str) -> _Answer:
        selector = parse(alternative.selector or "")
        compiled = compile_selector(
            selector,
            prefix=f"{prefix}_css",
            target_only=alternative.target_only,
            pierce=alternative.pierce,
        )
        self.ctes.update(compiled.ctes)
        self.parameters.update(compiled.parameters)
        switches = [" target-only"] * alternative.target_only + [" pierce"] * alternative.pierce
        self.selectors.append(UsedSelector(f"{selector}{''.join(switches)}", compiled, f"{prefix}_places"))
        return _Answer(compiled.holds(compiled.surely), compiled.holds(compiled.possibly))

    def strings(self, pattern: Pattern, prefix: str, column: str) -> _Answer:
        """Events whose `column` is like the pattern. Alternatives that ask the same share one set."""
        made = self.made.get((column, pattern))
        if made is None:
            made = self.made[column, pattern] = self.string_set(pattern, prefix, column)
        return made

    def string_set(self, pattern: Pattern, prefix: str, column: str) -> _Answer:
        name = f"{prefix}_{column}s" if column != "hash" else f"{prefix}_hashes"
        in_marks = column in ("label", "text")
        value = "said"
        # In a URL a … of the page's own is always percent-encoded, so one that stands there is a mark.
        is_cut = (
            f"coalesce(list_contains(marks, '{column}'), false)"
            if in_marks
            else f"contains({column}, '{CUT}')"
        )
        if in_marks:
            value = _normal_text_sql("said")
            if pattern.operator != "matches":
                pattern = Pattern(pattern.operator, normal_text(pattern.value), pattern.ignore_case)
        surely, possibly = self.likeness(pattern, f"{prefix}_{column}")
        self.ctes[name] = (
            f"-- {column} {_comment(str(pattern))}\n"
            f"select {column}, is_cut, {surely} as is_sure\n"
            f"from (\n"
            f"    select {column}, is_cut, {value} as value\n"
            f"    from (\n{indent(self.distinct(column, is_cut, in_marks=in_marks), ' ' * 8)}\n"
            f"    ) as distinct_strings\n"
            f") as strings\n"
            f"where {possibly}"
        )
        found = f"e.{column} in (select {column} from {name}"
        if not in_marks:
            return _Answer(f"{found} where is_sure)", f"{found})")
        # One string may be whole in one event and cut in another. Single columns are compared much faster than pairs.
        cut = f"coalesce(list_contains(e.marks, '{column}'), false)"
        return _Answer(
            f"case when {cut} then {found} where is_sure and is_cut) else {found} where is_sure and not is_cut) end",
            f"case when {cut} then {found} where is_cut) else {found} where not is_cut) end",
        )

    def distinct(self, column: str, is_cut: str, *, in_marks: bool) -> str:
        """The different strings of a column, once more where one is cut in some events and whole in others."""
        known = self.strings_of.get(column)
        if known is None:
            return (
                f"select {column}, {is_cut} as is_cut, {_ONCE.format(column)} as said\n"
                f"from {self.source}\n"
                f"where site = $site and {column} is not null\n"
                f"group by {column}, is_cut"
            )
        either = f"{known} cross join (values (true), (false)) as cuts(is_cut)"
        return (
            f"select {column}, {'is_cut' if in_marks else is_cut} as is_cut, {column} as said\n"
            f"from {either if in_marks else known}\n"
            f"where {column} is not null"
        )

    def query_parameter(self, parameter: QueryParameter, name: str) -> _Answer:
        """Events of pages whose query has the parameter: the first of that name counts."""
        made = self.made.get(("query", parameter))
        if made:
            return made
        plain, encoded = re.escape(parameter.name), re.escape(quote(parameter.name, safe=""))
        found = self.bind(name, f"(?:^|&)(?:{plain}|{encoded})(?:=([^&]*)|&|$)")
        surely, possibly = "true", "true"
        if parameter.pattern is not None:
            surely, possibly = self.likeness(parameter.pattern, f"{name}_value")
        self.ctes[name] = (
            f"-- query parameter {_comment(parameter.name)} {_comment(str(parameter.pattern or ''))}\n"
            f"select query, {surely} as is_sure\n"
            f"from (\n"
            f"    select query, value, contains(value, '{CUT}') as is_cut\n"
            f"    from (\n"
            f"        select query, url_decode(replace(regexp_extract(said, {found}, 1), '+', ' ')) as value\n"
            f"        from (\n"
            f"            select query, {_ONCE.format('query')} as said\n"
            f"            from {self.source}\n"
            f"            where site = $site and query is not null\n"
            f"            group by query\n"
            f"        ) as distinct_queries\n"
            f"        where regexp_matches(said, {found})\n"
            f"    ) as decoded\n"
            f") as strings\n"
            f"where {possibly}"
        )
        answer = self.made["query", parameter] = _Answer(
            f"e.query in (select query from {name} where is_sure)", f"e.query in (select query from {name})"
        )
        return answer

    def likeness(self, pattern: Pattern, name: str) -> tuple[str, str]:
        """Two conditions on the columns `value` and `is_cut`; in a cut value each … is an unknown stretch."""
        if pattern.operator in ("glob", "matches"):
            flags = "(?i)" if pattern.ignore_case else ""
            is_glob = pattern.operator == "glob"
            expression = flags + (glob_expression(pattern.value) if is_glob else pattern.value)
            found = f"regexp_matches(value, {self.bind(name, expression)})"
            return f"not is_cut and {found}", f"is_cut or {found}"
        value, given = "value", self.bind(name, pattern.value)
        if pattern.ignore_case:
            value, given = "lower(value)", f"lower({given})"
        head = f"split_part({value}, '{CUT}', 1)"
        if pattern.operator == "is":
            # Each … may stand for anything, so the value is a pattern that the given text has to fit.
            escaped = value
            for special in ("!", "%", "_"):
                escaped = f"replace({escaped}, '{special}', '!{special}')"
            fits = f"{given} like replace({escaped}, '{CUT}', '%') escape '!'"
            return f"not is_cut and {value} = {given}", f"{value} = {given} or (is_cut and {fits})"
        if pattern.operator == "contains":
            found = f"contains({value}, {given})"
            sure = found if CUT not in pattern.value else f"not is_cut and {found}"
            return sure, f"is_cut or {found}"
        may_fit = f"starts_with({head}, {given}) or starts_with({given}, {head})"
        return (
            f"case when is_cut then starts_with({head}, {given}) else starts_with({value}, {given}) end",
            f"case when is_cut then {may_fit} else starts_with({value}, {given}) end",
        )

    def property_match(self, condition: PropertyMatch, name: str) -> str:
        """Expressions on the JSON of the event, so they should stand beside cheaper conditions."""
        column = column_name(condition.name)
        if column is not None:
            return self.column_match(column, condition, name)
        place = self.bind(f"{name}_name", json_pointer(condition.name))
        kind = f"json_type(e.properties, {place})"
        text = f"json_extract_string(e.properties, {place})"
        if condition.operator == "exists":
            return f"{kind} is not null"
        value = condition.value
        if value is None:
            return f"{kind} = 'NULL'"
        given = self.bind(f"{name}_value", value)
        if isinstance(value, bool):
            return f"{kind} = 'BOOLEAN' and ({text} = 'true') = {given}"
        if isinstance(value, int | float):
            sign = {"is": "=", "above": ">", "at_least": ">=", "below": "<", "at_most": "<="}[
                condition.operator
            ]
            numbers = "('UBIGINT', 'BIGINT', 'DOUBLE', 'HUGEINT', 'UHUGEINT', 'DECIMAL')"
            return f"{kind} in {numbers} and try_cast({text} as double) {sign} {given}"
        found = {
            "is": f"{text} = {given}",
            "contains": f"contains({text}, {given})",
            "matches": f"regexp_matches({text}, {given})",
        }[condition.operator]
        return f"{kind} = 'VARCHAR' and {found}"

    def column_match(self, column: str, condition: PropertyMatch, name: str) -> str:
        """What a column of the event holds."""
        if condition.operator == "exists":
            return f"e.{column} is not null"
        if condition.value is None:
            return f"e.{column} is null"
        given = self.bind(f"{name}_value", condition.value)
        return {
            "is": f"e.{column} = {given}",
            "contains": f"contains(e.{column}, {given})",
            "matches": f"regexp_matches(e.{column}, {given})",
            "above": f"e.{column} > {given}",
            "at_least": f"e.{column} >= {given}",
            "below": f"e.{column} < {given}",
            "at_most": f"e.{column} <= {given}",
        }[condition.operator]


def json_pointer(name: str) -> str:
    """The place of a property in the JSON of an event. A pointer can name any key; a JSON path cannot hold quotes."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _of_url(pattern: Pattern, column: str) -> Pattern:
    """The pattern as the column holds it: hosts in lower case, a hash without its `#`."""
    value = pattern.value
    if pattern.operator != "matches":
        value = value.lower() if column == "host" else value.removeprefix("#") if column == "hash" else value
    return Pattern(pattern.operator, value, pattern.ignore_case)


def _normal_text_sql(column: str) -> str:
    visible = f"regexp_replace({column}, '{_class(ZERO_WIDTH, _RE2)}', '', 'g')"
    return f"trim(regexp_replace(nfc_normalize({visible}), '{_class(SPACES, _RE2)}+', ' ', 'g'))"


def _class(code_points: str, write: str) -> str:
    """A character class of `20 2000-200A`, each code point written as an engine reads it."""
    ranges = ("-".join(write.format(point) for point in part.split("-")) for part in code_points.split())
    return f"[{''.join(ranges)}]"


_PYTHON, _RE2 = "\\U{:0>8}", "\\x{{{}}}"


def _same(condition: str) -> _Answer:
    return _Answer(condition, condition)


def _every(conditions: Iterable[str]) -> str:
    return " and ".join(conditions) or "true"


def _either(conditions: Iterable[str]) -> str:
    parts = list(dict.fromkeys(conditions))
    return parts[0] if len(parts) == 1 else "(" + "\n        or ".join(f"({part})" for part in parts) + ")"


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:200]
