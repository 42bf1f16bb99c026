"""Globs of paths: `*` stays inside one segment, `**` crosses `/`, every other character stands for itself."""

from __future__ import annotations

import re

from expost.errors import InvalidInput


def glob_expression(glob: str) -> str:
    """The RE2 expression, to be matched whole, of a glob: `*` stays inside one segment, `**` crosses `/`.

    >>> glob_expression("/docs/**/edit-*")
    '(?s)^/docs/.*/edit\\\\-[^/]*$'
    """
    parts = re.split(r"(\*+)", glob)
    inner = "".join(
        re.escape(part) if index % 2 == 0 else "[^/]*" if part == "*" else ".*"
        for index, part in enumerate(parts)
    )
    return f"(?s)^{inner}$"


def check_glob(glob: str) -> None:
    """Refuse a glob that no path can fit: a path starts with `/` and ends before `?` and `#`."""
    if glob.startswith(("/", "*")) and not re.search(r"[?#]", glob):
        return
    path, sign, _ = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", glob).partition("?")
    path = path.partition("#")[0]
    nearest = path if path.startswith(("/", "*")) else f"/{path}"
    hint = f"Write it as {nearest!r}, or '**' for any path."
    if sign or "#" in glob:
        hint = f"Write the path as {nearest!r}; what follows ? or # has the conditions query and hash."
    raise InvalidInput(f"No path is like {glob!r}: a path starts with / and ends before ? and #.", hint=hint)
