"""Names: what they may be made of, and how they are compared."""

from __future__ import annotations

import re
import unicodedata

from expost.errors import InvalidInput

MAX_NAME = 200
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Categories of characters that nobody sees, or that change what is seen around them."""
PIN = re.compile(r"@(?=[0-9]+\Z)")
"""Where the end of a name begins that pins a version (`Signed up@2`), so that no name may end so."""


def name_key(name: str) -> str:
    """What names are compared by: equal for names that a reader would take for the same.

    >>> name_key("Signed  up") == name_key("ＳＩＧＮＥＤ up ")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def checked_name(name: str, noun: str) -> str:
    """The name of a definition or the like without space around it; InvalidInput if a reader could not see all of it.

    >>> checked_name(" Signed up ", "definition")
    'Signed up'
    """
    trimmed = name.strip()
    for place, character in enumerate(trimmed, 1):
        if unicodedata.category(character) in UNSEEN:
            raise InvalidInput(
                f"The name of a {noun} has a character that nobody sees: {_called(character)}, at place {place}.",
                hint="Leave it out: two names that look the same would not be.",
            )
    if not 1 <= len(trimmed) <= MAX_NAME:
        raise InvalidInput(
            f"A {noun} cannot be called {trimmed[:60]!r}.", hint=f"A name has 1 to {MAX_NAME} characters."
        )
    if PIN.search(unicodedata.normalize("NFKC", trimmed)):
        raise InvalidInput(
            f"A {noun} cannot be called {trimmed!r}: the end pins a version, as in 'Signed up@2'.",
            hint=f"Take another name, such as {unpinned(trimmed)!r}.",
        )
    return trimmed


def unpinned(name: str) -> str:
    """The name, or one like it where it would be read as a version of another thing.

    >>> unpinned("react@18"), unpinned("ann@example.org")
    ('react 18', 'ann@example.org')
    """
    compatible = unicodedata.normalize("NFKC", name)
    return " ".join(PIN.sub(" ", compatible).split()) if PIN.search(compatible) else name


def _called(character: str) -> str:
    """A character by its number and its name.

    >>> _called("\u202e")
    'U+202E RIGHT-TO-LEFT OVERRIDE'
    """
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
