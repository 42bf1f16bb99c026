"""The line to paste into a page."""

from __future__ import annotations

from html import escape


def tag_of(base_url: str, key: str, consent: str = "full") -> str:
    """The script tag that loads the snippet from `base_url` with a write key.

    >>> tag_of("http://127.0.0.1:8000", "xw_abc")
    '<script async src="http://127.0.0.1:8000/expost.js" data-key="xw_abc" data-consent="full"></script>'
    """
    source = f"{base_url.rstrip('/')}/expost.js"
    return f'<script async src="{escape(source)}" data-key="{escape(key)}" data-consent="{escape(consent)}"></script>'
