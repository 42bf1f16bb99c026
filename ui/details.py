"""What a form says of a kept thing: owner, tags, note, whether it is archived, and which version is meant."""

from __future__ import annotations

from starlette.datastructures import FormData

from expost.errors import InvalidInput


def details_sent(sent: FormData) -> dict[str, object]:
    """The details that a form sets; what it does not name stays.

    >>> details_sent(FormData([("owner", " ann "), ("tags", "a, b,"), ("archived", "no")]))
    {'owner': 'ann', 'tags': ['a', 'b'], 'archived': False}
    """
    wanted: dict[str, object] = {
        field: str(sent[field]).strip() for field in ("owner", "note") if field in sent
    }
    if "tags" in sent:
        wanted["tags"] = [tag.strip() for tag in str(sent["tags"]).split(",") if tag.strip()]
    if "archived" in sent:
        wanted["archived"] = sent["archived"] == "yes"
    return wanted


def version_sent(sent: FormData) -> int:
    """The version that a form names."""
    version = str(sent.get("version", ""))
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise InvalidInput(f"The version is {version!r}.", hint="Give a whole number.")
    return int(version)
