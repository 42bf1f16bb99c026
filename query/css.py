"""Writing CSS: identifiers and strings escaped so that every parser reads the same text back."""

from __future__ import annotations


def escape_identifier(name: str) -> str:
    """`name` as a CSS identifier, by the rules of the browser's own `CSS.escape`.

    >>> escape_identifier("1st:choice")
    '\\\\31 st\\\\:choice'
    """
    if name == "-":
        return "\\-"
    return "".join(_escaped(name, place, character) for place, character in enumerate(name))


def _escaped(name: str, place: int, character: str) -> str:
    code = ord(character)
    if code == 0:
        return "\ufffd"
    starts_with_digit = "0" <= character <= "9" and (place == 0 or (place == 1 and name[0] == "-"))
    if code <= 0x1F or code == 0x7F or starts_with_digit:
        return f"\\{code:x} "
    if code >= 0x80 or character in "-_" or character.isalnum():
        return character
    return "\\" + character


def quote_string(text: str) -> str:
    r"""`text` as a CSS string on one line.

    >>> quote_string('say "hi"\n')
    '"say \\"hi\\"\\a "'
    """
    return '"' + "".join(_in_quotes(character) for character in text) + '"'


def _in_quotes(character: str) -> str:
    code = ord(character)
    if code == 0:
        return "\ufffd"
    if code <= 0x1F or code == 0x7F:
        return f"\\{code:x} "
    return "\\" + character if character in '"\\' else character


def ascii_lower(text: str) -> str:
    """`text` with A to Z in lower case and nothing else changed, which is how HTML ignores case.

    >>> ascii_lower("ÄBC")
    'Äbc'
    """
    return text.translate(_LOWER)


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
