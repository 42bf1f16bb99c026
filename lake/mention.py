"""Whether a line of `rejected/` mentions somebody: it holds what could not be stored, written in whatever way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from .redaction import Redaction

ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"\\/]))")
"""How JSON writes a character; PHP puts a backslash before each slash, others need not."""


def names_one_of(line: bytes, texts: Iterable[str]) -> bool:
    """Whether a line of `rejected/` holds one of these texts, however it is written in there."""
    try:
        said = json.loads(line)
        content = "\n".join(str(value) for value in said.values())
    except (ValueError, AttributeError):
        content = line.decode("utf-8", "replace")
    plain = _without_escapes(content)
    for text in texts:
        written = (text, json.dumps(text)[1:-1], quote(text, safe="", errors="replace"))
        if text in plain or any(form in content for form in written):
            return True
    return False


def _without_escapes(text: str) -> str:
    r"""What JSON's escapes in a text stand for, whichever of them its writer chose.

    >>> _without_escapes(r'{"user": "acme\/j\u00F6rg"')
    '{"user": "acme/jörg"'
    """
    if "\\" not in text:
        return text
    plain = ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    # Two of them may be one character.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_of_marked(line: bytes, redaction: Redaction) -> bool:
    """Whether a line says that it is of somebody of whom nothing is kept, by device or user."""
    try:
        said = json.loads(line)
        content = json.loads(said["content"])
        events = [content, *content.get("events", ())]
        users = [each["user"] for each in events if isinstance(each.get("user"), str)]
        return redaction.is_of_erased(str(said["site"]), content.get("device"), users)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # What cannot be read says of nobody whose it is.
        return False
