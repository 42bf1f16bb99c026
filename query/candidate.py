"""Selectors that would find an element again, from what is known of it and of what is around it.

Each says what it rests on (`kind`), how likely it is to outlive a redesign (`stays`), and how many other things of the
page one would expect it to gather (`strays`), both before history was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from . import refusal
from .css import escape_identifier, quote_string
from .level import Level
from .token import Lives, is_generated, is_plain, is_whole, stays

Kind = Literal["test id", "id", "name", "address", "data", "class", "text", "type", "place"]

TEST_IDS = (
    "data-testid",
    "data-test-id",
    "data-test",
    "data-qa",
    "data-cy",
    "data-e2e",
    "data-action",
    "data-track",
)
NAMES = ("name", "aria-label", "title", "alt", "placeholder", "for")
ADDRESSES = ("href", "action")
ROLES = ("type", "role")
CHANGING = re.compile(
    r"aria-(expanded|selected|pressed|checked|current|hidden|busy|invalid|sort|disabled|activedescendant|valuenow"
    r"|valuetext|posinset|setsize)|data-(state|status|open|active|index|count|value|expanded|selected|reactid)"
)
"""Attributes that say in what state something is; `lang`, `dir` and their like say nothing of an element."""
SAYS_NOTHING = frozenset({"method", "rel", "target", "lang", "dir", "tabindex", "src"})
EMPTY_ADDRESS = re.compile(r"#?|javascript:.*|(#|/)!?", re.DOTALL)

MAX_COMPOUNDS = 5
MAX_ANCHORS = 4
MAX_CLASSES = 4
MAX_CANDIDATES = 26
LEAST_ANCHOR = 0.5
"""How likely a word has to stay so that something inside is found by it."""
REACH = 12
"""How far out a word is looked for that the element stands in."""

STAYS: Mapping[Kind, float] = {
    "test id": 0.98, "id": 0.96, "name": 0.93, "address": 0.9, "data": 0.85, "class": 0.9, "text": 0.86, "type": 0.97,
    "place": 0.3,
}  # fmt: skip
STRAYS: Mapping[Kind, float] = {
    "test id": 0.05, "id": 0.03, "name": 0.25, "address": 0.35, "data": 0.6, "class": 1.2, "text": 0.3, "type": 4.0,
    "place": 0.1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """One selector, and the text that is asked for beside it. `words` say what it rests on."""

    selector: str
    kind: Kind
    words: str
    stays: float
    strays: float
    text: str | None = None
    is_anchored: bool = False


@dataclass(frozen=True, slots=True)
class _Atom:
    """One condition on an element itself, as CSS."""

    css: str
    kind: Kind
    words: str
    stays: float

    @property
    def strays(self) -> float:
        # Not every element of a tag has the same role.
        return STRAYS[self.kind] * (0.6 if self.kind == "type" else 1.0)


def candidates(
    chain: Sequence[Level], text: str | None = None, lives: Lives | None = None
) -> tuple[Candidate, ...]:
    """Selectors for the first of `chain`, which goes from it outwards; each surely matches it.

    `text` are the words on it, `lives` what history says of the ids and classes of the chain.
    """
    lives = lives or {}
    found: dict[tuple[str, str | None], Candidate] = {}
    made = _whole_pages(chain) or [
        *_alone(chain[0], lives),
        *_inside(chain, lives),
        *_by_text(chain, text, lives),
        *_by_place(chain, lives),
    ]
    for each in made:
        key = (each.selector, each.text)
        if key not in found or found[key].stays < each.stays:
            found[key] = each
    best = sorted(found.values(), key=_worth, reverse=True)
    # The place is kept however many there are: it is what is left where nothing else tells an element apart.
    kept = best[: MAX_CANDIDATES - 1]
    return (*kept, *[each for each in best[MAX_CANDIDATES - 1 :] if each.kind == "place"][:1])


def type_selector(level: Level) -> str:
    """The tag as a selector; `*` where documents differ in how they compare it."""
    return escape_identifier(level.tag) if is_plain(level.tag) else "*"


def tokens(chain: Sequence[Level]) -> tuple[list[str], list[str]]:
    """Ids and classes of a chain, near enough to be of use: what `token_lives.sql` is asked about."""
    near = [each for each in chain[:REACH] if each.tag not in ("html", "body")]
    ids = dict.fromkeys(each.dom_id for each in near if each.dom_id and is_whole(each.dom_id))
    return list(ids), list(dict.fromkeys(name for each in near for name in each.classes))


def _worth(candidate: Candidate) -> float:
    return candidate.stays**2 / (1 + candidate.strays) - len(candidate.selector) / 2_000


def _whole_pages(chain: Sequence[Level]) -> list[Candidate]:
    tag = chain[0].tag
    if tag not in ("html", "body"):
        return []
    return [Candidate(tag, "type", "the whole page", 0.99, 0.0)]


def _alone(level: Level, lives: Lives) -> Iterable[Candidate]:
    """By the element's own words."""
    tag = type_selector(level)
    # Its siblings of that type were seen at least.
    yield Candidate(
        tag, "type", f"every {level.tag}", STAYS["type"], max(STRAYS["type"], level.type_count - 1.0)
    )
    for atom in _atoms(level, lives):
        yield Candidate(_own(tag, atom), atom.kind, atom.words, atom.stays, atom.strays)
    yield from _by_classes(level, lives)
    roles = [atom for atom in _atoms(level, lives) if atom.kind == "type"]
    classes = [atom for atom in _atoms(level, lives) if atom.kind == "class"]
    for role in roles:
        for one in classes[:2]:
            words = f"{one.words} and {role.words}"
            yield Candidate(tag + one.css + role.css, "class", words, one.stays * 0.99, one.strays * 0.7)


def _by_classes(level: Level, lives: Lives) -> Iterable[Candidate]:
    """By several classes at once, those that stay most likely first."""
    atoms = sorted(_class_atoms(level, lives), key=lambda atom: -atom.stays)
    for count in (2, 3):
        chosen = atoms[:count]
        if len(chosen) == count:
            # In the order in which the page has them, as a developer would write it.
            css = "".join(atom.css for atom in _class_atoms(level, lives) if atom in chosen)
            stay = chosen[-1].stays * 0.97 ** (count - 1)
            words = "the classes " + " and ".join(atom.css for atom in chosen)
            yield Candidate(
                type_selector(level) + css, "class", words, stay, STRAYS["class"] * 0.6 ** (count - 1)
            )


def _inside(chain: Sequence[Level], lives: Lives) -> Iterable[Candidate]:
    """By the element's own words, inside something that has words of its own."""
    own = [each for each in _alone(chain[0], lives) if each.kind not in ("test id", "id")]
    own = sorted(own, key=_worth, reverse=True)[:4] + [
        each for each in own if each.selector == type_selector(chain[0])
    ]
    for anchor in _anchors(chain, lives):
        for each in own:
            words = f"{each.words} inside {anchor.css}"
            yield Candidate(
                f"{anchor.css} {each.selector}", each.kind, words, each.stays * anchor.stays**0.5,
                each.strays * _share(anchor), is_anchored=True,
            )  # fmt: skip


def _by_text(chain: Sequence[Level], text: str | None, lives: Lives) -> Iterable[Candidate]:
    """By the words on it, which people read and so are chosen with care; numbers in them change."""
    if not text or not is_whole(text):
        return
    stay = STAYS["text"] * (0.6 if any(each.isdigit() for each in text) else 1.0)
    tag, words = type_selector(chain[0]), f"the text “{text}”"
    yield Candidate(tag, "text", words, stay, STRAYS["text"], text)
    for one in _class_atoms(chain[0], lives)[:1]:
        yield Candidate(tag + one.css, "text", f"{words} and {one.words}", stay * one.stays, 0.15, text)
    for anchor in islice(_anchors(chain, lives), 2):
        where = f"{words} inside {anchor.css}"
        yield Candidate(
            f"{anchor.css} {tag}", "text", where, stay * anchor.stays**0.5, 0.12, text, is_anchored=True
        )


def _by_place(chain: Sequence[Level], lives: Lives) -> Iterable[Candidate]:
    """By its place among its siblings, up to something that has words of its own or to the root of its tree."""
    text = ""
    for place, level in enumerate(chain[:MAX_COMPOUNDS]):
        named = max(_words(level, lives), key=lambda atom: atom.stays, default=None) if place else None
        if named is not None and named.stays >= LEAST_ANCHOR and level.tag not in ("html", "body"):
            text = _own(type_selector(level), named) + text
            break
        nth = "" if level.type_count == 1 else f":nth-of-type({level.type_index})"
        kept = _best_class(level, lives) if not place else ""
        text = type_selector(level) + kept + nth + text
        is_last = place + 1 == min(len(chain), MAX_COMPOUNDS) or level.is_shadow_child
        if is_last:
            break
        text = " > " + text
    counted = text.count(":nth-of-type")
    stay = STAYS["place"] * 0.8 ** max(0, counted - 1) if counted else 0.6 * 0.9 ** text.count(">")
    where = "its place among its siblings" if counted else "what it stands directly in"
    yield Candidate(
        text, "place", where, stay, STRAYS["place"] if counted else 0.5, is_anchored=" > " in text
    )


def _anchors(chain: Sequence[Level], lives: Lives) -> Iterable[_Atom]:
    """Words of what is around the element, in its own tree: the nearest, and those that most likely stay."""
    around = []
    inner = chain[0]
    for level in chain[1:REACH]:
        if inner.is_shadow_child or level.tag in ("html", "body"):
            break
        inner = level
        best = max(_words(level, lives), key=lambda atom: atom.stays / (1 + atom.strays), default=None)
        if best is not None and best.stays >= LEAST_ANCHOR:
            css = best.css if best.kind == "class" else _own(type_selector(level), best)
            around.append(_Atom(css, best.kind, best.words, best.stays))
    strongest = sorted(around, key=lambda atom: -atom.stays / (1 + atom.strays))
    return list(dict.fromkeys([*around[:2], *strongest]))[:MAX_ANCHORS]


def _words(level: Level, lives: Lives) -> Iterable[_Atom]:
    """The conditions that tell an element from others of its tag."""
    return [atom for atom in _atoms(level, lives) if atom.kind != "type"]


def _atoms(level: Level, lives: Lives) -> list[_Atom]:
    return [*_attribute_atoms(level), *_id_atom(level, lives), *_class_atoms(level, lives)]


def _attribute_atoms(level: Level) -> Iterable[_Atom]:
    for name, value in level.attributes.items():
        kind = _kind_of(name)
        if kind is None or value is None or not is_whole(value) or refusal.of_attribute(name) is not None:
            continue
        if not is_plain(name) or (kind == "address" and EMPTY_ADDRESS.fullmatch(value)):
            continue
        stay = STAYS[kind] * (0.95 if kind == "type" else 1.0)
        if kind != "test id" and is_generated(value):
            stay *= 0.4
        yield _Atom(f"[{escape_identifier(name)}={quote_string(value)}]", kind, name, stay)


def _kind_of(name: str) -> Kind | None:
    if name in TEST_IDS:
        return "test id"
    if name in NAMES:
        return "name"
    if name in ADDRESSES:
        return "address"
    if name in ROLES:
        return "type"
    is_other = name.startswith(("data-", "aria-")) and not CHANGING.fullmatch(name) and not is_generated(name)
    return "data" if is_other and name not in SAYS_NOTHING else None


def _id_atom(level: Level, lives: Lives) -> Iterable[_Atom]:
    if level.dom_id and is_whole(level.dom_id):
        css = f"#{escape_identifier(level.dom_id)}"
        yield _Atom(css, "id", "the id", STAYS["id"] * stays(level.dom_id, lives.get(f"#{level.dom_id}")))


def _class_atoms(level: Level, lives: Lives) -> list[_Atom]:
    found = []
    for name in level.classes:
        stay = STAYS["class"] * stays(name, lives.get(f".{name}"))
        css = f".{escape_identifier(name)}"
        found.append(_Atom(css, "class", f"the class {css}", stay))
    return sorted(found, key=lambda atom: -atom.stays)[:MAX_CLASSES]


def _best_class(level: Level, lives: Lives) -> str:
    return next(
        (atom.css for atom in _class_atoms(level, lives) if atom.stays > 0.8),
        "",
    )


def _share(anchor: _Atom) -> float:
    """How much of what a selector gathers is left inside this."""
    return 0.2 if anchor.kind in ("test id", "id") else 0.3 if anchor.kind in ("name", "address") else 0.5


def _own(tag: str, atom: _Atom) -> str:
    return atom.css if atom.kind in ("test id", "id") else tag + atom.css
