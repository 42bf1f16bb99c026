"""Captured text on a page: escaped, and with whatever could deceive the eye made visible."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from markupsafe import Markup, escape

# Scripts whose letters pass for Latin ones. A word that mixes them is what a forged name looks like.
LOOK_ALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
ZERO_WIDTH_JOINER = "\u200d"


def captured(text: object) -> Markup:
    r"""HTML of a text that came from outside: escaped, isolated in its direction, invisible and bidi characters named.

    >>> captured("<b>")
    Markup('<bdi>&lt;b&gt;</bdi>')
    >>> "U+202E" in captured("\u202egpj.exe")
    True
    """
    string = "" if text is None else str(text)
    if not string:
        return Markup("")
    marked = _foreign_letters(string)
    pieces = [
        _mark(character, look_alike=place in marked)
        if _is_odd(string, place) or place in marked
        else escape(character)
        for place, character in enumerate(string)
    ]
    return Markup("<bdi>{}</bdi>").format(Markup("").join(pieces))


def visible(text: object) -> str:
    r"""The same for where no markup can stand: a title, an option, a tooltip.

    >>> visible("\u202egpj.exe")
    '[U+202E]gpj.exe'
    """
    string = "" if text is None else str(text)
    return "".join(
        f"[U+{ord(character):04X}]" if _is_odd(string, place) else character
        for place, character in enumerate(string)
    )


def web_address(text: object) -> str | None:
    """The address if it may become a link: absolute http or https, nothing else ever."""
    string = str(text or "").strip()
    try:
        parts = urlsplit(string)
    except ValueError:
        return None
    return string if parts.scheme in ("http", "https") and parts.netloc else None


def _is_odd(text: str, place: int) -> bool:
    character = text[place]
    if character in "\n\t" or (character < "\x7f" and character >= " "):
        return False
    if character == ZERO_WIDTH_JOINER and 0 < place < len(text) - 1:
        # Emoji of several people are joined by it; there it hides nothing.
        return unicodedata.category(text[place + 1]) != "So"
    return unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn", "Zl", "Zp")


def _mark(character: str, *, look_alike: bool) -> Markup:
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "control character").lower()
    kind, shown = ("look-alike", character) if look_alike else ("oddity", code)
    return Markup('<span class="{}" title="{} ({})">{}</span>').format(kind, name, code, shown)


def _foreign_letters(text: str) -> frozenset[int]:
    if text.isascii():
        return frozenset()
    found: set[int] = set()
    for word in re.finditer(r"\w+", text):
        names = {place: unicodedata.name(text[place], "") for place in range(*word.span())}
        if any(name.startswith("LATIN ") for name in names.values()):
            found.update(place for place, name in names.items() if name.startswith(LOOK_ALIKE))
    return frozenset(found)
