"""JSON as pages write it by mistake, made such that it can be read: what is wrong stays wrong where it stands."""

from __future__ import annotations

import re

# Strings first, so that the words inside them are passed over.
_NO_NUMBERS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?Infinity|NaN', re.DOTALL)
_SURROGATES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def repair_json(body: bytes) -> bytes:
    r"""`body` with lone surrogates as U+FFFD, and NaN and Infinity as a number out of every bound.

    The latter makes the event that holds it fail, and not the batch.

    >>> repair_json(b'["a\\ud83d", "\\ud83d\\ude00", "NaN", NaN]')
    b'["a\\ufffd", "\\ud83d\\ude00", "NaN", 1e999]'
    """
    if b"\\ud" in body or b"\\uD" in body:
        body = _SURROGATES.sub(lambda found: b"\\ufffd" if found[1] else found[0], body)
    if b"NaN" in body or b"Infinity" in body:
        body = _NO_NUMBERS.sub(lambda found: found[0] if found[0][:1] == b'"' else b"1e999", body)
    return body
