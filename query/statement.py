"""SQL text from the files in `query/sql/`: Jinja decides structure, `$names` carry values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

import jinja2


class Fragment(str):
    """A piece of SQL that this package wrote itself, and so may stand in a statement."""

    __slots__ = ()


def identifier(name: str) -> Fragment:
    """A name of a column or relation, quoted where it has to be.

    >>> identifier("person_id"), identifier('odd "name')
    ('person_id', '"odd ""name"')
    """
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        return Fragment(name)
    return Fragment('"' + name.replace('"', '""') + '"')


def expressions(ctes: Iterable[tuple[str, str]]) -> list[Fragment]:
    """Common table expressions as they stand after `with`."""
    return [Fragment(f"{name} as (\n{indent(sql, '    ')}\n)") for name, sql in ctes]


def render(name: str, **context: object) -> str:
    """The text of `query/sql/{name}` with its structure decided by `context`."""
    text = _environment.get_template(name).render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _only_fragments(value: object) -> object:
    if isinstance(value, Fragment) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"{value!r} may not be written into SQL; bind it as $name or wrap it in identifier().")


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "sql"),
    finalize=_only_fragments,
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701 - SQL, not HTML; `finalize` lets no text in
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.globals["lake_events"] = Fragment("lake.events")
