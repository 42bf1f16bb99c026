"""Secrets are taken out again, whatever the page sent: snippets of old versions live in caches for years.

The patterns are those of the snippet (`snippet/src/mask.ts`); what either finds becomes one `…`, and the value is
marked as not whole, so that a selector or text that would need it answers "unknown". Everything here takes time linear
in what was sent: the key that opens the door to it is public.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Container
from typing import Any, TypeVar

import msgspec

from expost.lake.batch import Descriptor, Event, View

GAP = "…"
MAX_DEPTH = 32
MAX_REMEMBERED_LENGTH = 200
CARD_LENGTHS = range(13, 20)
"""How many digits a card number has. A group of more is no part of one, however long it is."""

# What may stand between groups of digits: all that `\s` is in a browser, no-break spaces among it, and the dash.
BETWEEN = r"[-\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
SSN_DIGITS = rf"\d{{3}}{BETWEEN}\d\d{BETWEEN}\d{{4}}"

SUSPECT = re.compile(
    rf"@|%40|(?<![\w-])eyJ|(?<![\w+-])[\w+-]{{32}}|{SSN_DIGITS}|\d(?:{BETWEEN}?\d){{12}}", re.ASCII
)
AROUND_AT = re.compile(r"""[^\s/?#&=:;,<>()"'…]+""")
DOMAIN_END = re.compile(r"\.[a-z]{2,}", re.IGNORECASE)
JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]++(?:\.[\w-]*)?", re.ASCII)
RUN = re.compile(r"(?<![\w+-])[\w+-]{32,}", re.ASCII)
TOKEN_PART = re.compile(r"[A-Za-z0-9]{20}")
SSN = re.compile(rf"(?<!\w){SSN_DIGITS}(?!\w)", re.ASCII)
DIGITS = re.compile(rf"\d(?:{BETWEEN}?\d){{12,}}", re.ASCII)
GROUP = re.compile(r"\d+", re.ASCII)
DOUBLED = tuple(digit * 2 - 9 if digit > 4 else digit * 2 for digit in range(10))

CONTENT = re.compile(r"\s*(?:data|blob|javascript):", re.IGNORECASE)
PLACE = re.compile(r"(?s)([^?#]*)(\?[^#]*)?(#.*)?\Z")
HANDED_OVER = re.compile(r"(?<=[?&])_xp=[^&#]*&?")
"""What the snippet puts into links to other domains of the site (`snippet/src/more/links.ts`)."""
DANGLING = re.compile(r"[?&](?=#|\Z)")
USER_INFO = re.compile(r"(?<=//)[^/?#@]+@")
# What stands before the path where it is more than a host and a port.
CREDENTIALS = re.compile(
    r"(\s*(?:[a-z][a-z0-9+.-]*:)?//)(?!(?:\[[^\[\]/?#\s]*\]|[^:/?#\s]*)(?::\d*)?(?:[/?#\s]|\Z))[^/?#\s]+",
    re.IGNORECASE,
)

ADDRESSES = frozenset(
    {
        "href", "src", "action", "formaction", "ping", "poster", "cite", "background", "xlink:href", "srcset",
        "imagesrcset", "data", "longdesc", "manifest",
    }
)  # fmt: skip
# An escape of JSON for a character that can be written as it is; of quotes and backslashes it must stay.
ESCAPE = re.compile(r"\\u00(?!22|5[cC])([2-7][0-9a-fA-F])")
WRITTEN_PARAMETER = re.compile(r"""([?&#](?!utm_)[\w.\[\]%-]{1,100}=)[^&#"'\\\s…]+""")

NEVER = re.compile(r"(?:value|style|srcdoc|nonce|on.*)\Z", re.IGNORECASE | re.DOTALL)


class TooDeep(ValueError):
    """Properties are nested deeper than `MAX_DEPTH`."""


class Masks:
    """Masks strings and the structures that hold them.

    Remembers which strings are clean, since the elements of a page are the same in every batch. Never the others: no
    secret stays in memory.
    """

    def __init__(self, remembered: int = 20_000) -> None:
        self._texts = Known(remembered)
        self.clean_texts: Container[str | None] = self._texts
        """Texts in which nothing is to be found, and None, in which there is nothing either."""
        self._urls = Known(remembered)
        self._names = Known(remembered)

    def text(self, text: str) -> str:
        """`text` with each e-mail address, token, card and social security number replaced by `…`.

        >>> Masks().text("Write to ann@shop.example or call 555-1234")
        'Write to … or call 555-1234'
        """
        if text in self._texts:
            return text
        if SUSPECT.search(text):
            masked = _masked(text)
            if masked != text:
                return masked
        self._texts.remember(text)
        return text

    def url(self, url: str) -> str:
        """An address with the values of its parameters replaced, campaign parameters (`utm_…`) excepted.

        >>> Masks().url("https://shop.example/find?q=shoes&utm_source=mail#token=1")
        'https://shop.example/find?q=…&utm_source=mail#token=…'
        """
        if url in self._urls:
            return url
        masked = self.text(_without_values(url))
        if masked == url:
            self._urls.remember(url)
        return masked

    def unread(self, text: str) -> str:
        r"""What is no batch, as it came: secrets are looked for in the writing itself, parameters of addresses too.

        >>> Masks().unread(r'{"url": "/find?q=shoes&utm_source=mail", "by": "ann\u0040shop.example" ')
        '{"url": "/find?q=…&utm_source=mail", "by": "…" '
        """
        text = ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
        return self.text(WRITTEN_PARAMETER.sub(rf"\1{GAP}", text))

    def descriptor(self, descriptor: Descriptor) -> Descriptor:
        """What an element is, without secrets, and without the attributes that are never kept.

        HTML that was not escaped makes elements and attributes of what people wrote: `Jane <jane@shop.example>`.
        """
        texts, names, changed = self._texts, self._names, {}
        for name, value in descriptor.attributes.items():
            if name not in names and not self._may_keep(name):
                return self.descriptor(self._without_forbidden(descriptor))
            # A site's own attributes hold addresses as often as not, under names that nobody knows.
            if name in ADDRESSES or name.startswith("data-"):
                masked = self.url(value)
            elif value in texts:
                continue
            else:
                masked = self.text(value)
            if masked != value:
                changed[name] = masked
        for name in descriptor.names:
            if name not in names and not self._may_keep(name):
                return self.descriptor(self._without_forbidden(descriptor))
        tag = self.text(descriptor.tag)
        dom_id = descriptor.dom_id and self.text(descriptor.dom_id)
        class_name = descriptor.class_name and self.text(descriptor.class_name)
        marks = list(changed)
        if dom_id != descriptor.dom_id:
            marks.append("id")
        if class_name != descriptor.class_name:
            marks.append("class")
        if not marks and tag == descriptor.tag:
            return descriptor
        return msgspec.structs.replace(
            descriptor,
            tag=tag,
            dom_id=dom_id,
            class_name=class_name,
            attributes=descriptor.attributes | changed,
            marks=list(dict.fromkeys([*descriptor.marks, *marks])),
        )

    def view(self, view: View) -> View:
        """An address of a page, its title and where it came from, without secrets."""
        urls, referrer = self._urls, view.referrer
        if view.url in urls and view.title in self._texts and (not referrer or referrer in urls):
            return view
        changed = {
            "url": self.url(view.url),
            "title": self.text(view.title),
            "referrer": self.url(view.referrer) if view.referrer else "",
        }
        return _replaced(view, changed)

    def event(self, event: Event) -> Event:
        """An event without secrets in its texts, and without card numbers in what the site itself says of it."""
        known = self._texts
        text, label, name = event.text, event.label, event.name
        if text in known and label in known and name in known and not event.properties and not event.traits:
            # Nearly every event: its texts are those of the page, which were looked at before.
            return event
        changed: dict[str, Any] = {}
        if event.text:
            changed["text"] = self.text(event.text)
        if event.label:
            changed["label"] = self.text(event.label)
        if event.name:
            changed["name"] = self.text(event.name)
        if event.properties:
            changed["properties"] = self.said(event.properties)
        if event.traits:
            changed["traits"] = self.said(event.traits)
        return _replaced(event, changed) if changed else event

    def said(self, value: Any, depth: int = 0) -> Any:
        """Properties and traits: the site's own words, in which only card numbers are replaced.

        A site that sends an e-mail address as a trait means to. Raises TooDeep beyond `MAX_DEPTH` levels.
        """
        if isinstance(value, str):
            return DIGITS.sub(_card_of_a_network, value) if len(value) > 12 else value
        if isinstance(value, dict):
            if depth >= MAX_DEPTH:
                raise TooDeep
            return {self.said(name): self.said(each, depth + 1) for name, each in value.items()}
        if isinstance(value, list):
            if depth >= MAX_DEPTH:
                raise TooDeep
            return [self.said(each, depth + 1) for each in value]
        if (
            isinstance(value, int)
            and 10**12 <= abs(value) < 10**19
            and DIGITS.sub(_card_of_a_network, str(value)) == GAP
        ):
            return GAP
        return value

    def _may_keep(self, name: str) -> bool:
        if NEVER.match(name) or self.text(name) != name:
            return False
        self._names.remember(name)
        return True

    def _without_forbidden(self, descriptor: Descriptor) -> Descriptor:
        kept = {name: value for name, value in descriptor.attributes.items() if self._may_keep(name)}
        names = list(filter(self._may_keep, descriptor.names))
        marks = list(filter(self._may_keep, descriptor.marks))
        return msgspec.structs.replace(descriptor, attributes=kept, names=names, marks=marks)


class Known(set[str | None]):
    """A set that forgets everything when it is full, and takes no long strings: its memory is bounded.

    No text at all is always in it.
    """

    def __init__(self, most: int) -> None:
        super().__init__([None])
        self._most = most

    def remember(self, text: str) -> None:
        """Add a string, if it is short."""
        if len(text) <= MAX_REMEMBERED_LENGTH:
            if len(self) >= self._most:
                self.clear()
                self.add(None)
            self.add(text)


Marked = TypeVar("Marked", View, Event)


def _replaced(struct: Marked, changed: dict[str, Any]) -> Marked:
    different: dict[str, Any] = {
        name: value for name, value in changed.items() if value != getattr(struct, name)
    }
    if not different:
        return struct
    return msgspec.structs.replace(
        struct, **different, marks=list(dict.fromkeys([*(struct.marks or ()), *different]))
    )


def _masked(text: str) -> str:
    if "@" in text or "%40" in text:
        text = AROUND_AT.sub(_email, text)
    text = JWT.sub(GAP, text)
    text = RUN.sub(_token, text)
    text = SSN.sub(GAP, text)
    return DIGITS.sub(_card, text)


def _email(run: re.Match[str]) -> str:
    text = run.group()
    places = [place for place in (text.find("@", 1), text.find("%40", 1)) if place > 0]
    if not places:
        return text
    ends = [end.end() for end in DOMAIN_END.finditer(text, min(places) + 2)]
    return GAP + text[ends[-1] :] if ends else text


def _token(run: re.Match[str]) -> str:
    # A chain of short words ("Button__label-sc-1a2b3c-0") is a name, and so is anything without digits.
    text = run.group()
    is_token = TOKEN_PART.search(text) and any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return GAP if is_token else text


def _card(run: re.Match[str]) -> str:
    return GAP if _holds_card(run.group(), _is_any) else run.group()


def _card_of_a_network(run: re.Match[str]) -> str:
    return GAP if _holds_card(run.group(), _is_of_a_network) else run.group()


def _holds_card(run: str, is_likely: Callable[[str, int], bool]) -> bool:
    """Whether a stretch of whole groups of digits passes the check of ISO 7812 (Luhn) and `is_likely` a card.

    A card may stand among other groups ("2026-01-15 4111 1111 1111 1111"), so every stretch is tried. Of a long run
    nothing is held but the groups that a card might begin with.
    """
    begun: deque[tuple[int, str, tuple[int, int]]] = deque()
    place = 0
    # Every second digit counts double: in the one sum those at even places, in the other those at odd ones. Of a number
    # that ends before a place it is those of the same parity.
    even = odd = 0
    for group in map(re.Match.group, GROUP.finditer(run)):
        if len(group) > CARD_LENGTHS[-1]:
            begun.clear()
            continue
        begun.append((place, group[0], (even, odd)))
        for digit in map(int, group):
            if place % 2:
                even, odd = even + digit, odd + DOUBLED[digit]
            else:
                even, odd = even + DOUBLED[digit], odd + digit
            place += 1
        parity, total = place % 2, odd if place % 2 else even
        while place - begun[0][0] > CARD_LENGTHS[-1]:
            begun.popleft()
        for start, first, sums in begun:
            length = place - start
            if length < CARD_LENGTHS[0]:
                break
            if (total - sums[parity]) % 10 == 0 and is_likely(first, length):
                return True
    return False


def _is_any(_first: str, _length: int) -> bool:
    return True


def _is_of_a_network(first: str, length: int) -> bool:
    # One in ten of all numbers passes the check, and moments in milliseconds (13 digits, from 1…) are no cards.
    return first in "23456" and (length > 13 or first == "4")


def _without_values(url: str) -> str:
    content = CONTENT.match(url)
    if content:
        return content.group() + GAP
    if "@" in url:
        url = USER_INFO.sub(GAP + "@", url, count=1)
    # A snippet takes "secret@shop.example" of "https://jane:secret@shop.example" for an e-mail address: Jane stays.
    named = CREDENTIALS.match(url)
    if named:
        url = named[1] + GAP + url[named.end() :]
    if "_xp=" in url:
        url = DANGLING.sub("", HANDED_OVER.sub("", url), count=1)
    if "=" not in url:
        return url
    parts = PLACE.match(url)
    assert parts is not None
    place, query, fragment = parts.groups("")
    return f"{place}{_parameters(query)}{_parameters(fragment)}"


def _parameters(query: str) -> str:
    return "&".join(map(_parameter, query.split("&"))) if "=" in query else query


def _parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return parameter if not value or name.lstrip("?#").startswith("utm_") else f"{name}{equals}{GAP}"
