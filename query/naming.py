"""Names that are offered for what somebody did: from words people see, else from what the element is and where it is.

Several, each more precise than the one before it, so that one is left where others are taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from expost.state.names import MAX_NAME, name_key, unpinned

from .control import VERBS
from .level import Level
from .token import is_generated, is_state, stays

WORDS = ("aria-label", "title", "alt", "placeholder")
"""Attributes that people read, or hear read."""
CALLED = ("data-testid", "data-test", "data-qa", "name")
"""Attributes by which the site's own people call an element."""
NOUNS = {
    "a": "link", "input": "field", "textarea": "field", "select": "list", "li": "item", "img": "image", "tr": "row",
    "nav": "navigation", "aside": "side", "summary": "heading", "h1": "heading", "h2": "heading", "h3": "heading",
}  # fmt: skip
"""What elements are called; the others as they are."""
PLACES = frozenset({"nav", "header", "footer", "aside", "form", "dialog", "main"})
"""Elements that say where something is, without a name of their own."""
VAGUE = frozenset(
    {
        "actions", "app", "block", "body", "box", "container", "content", "group", "inner", "item", "layout", "list",
        "outer", "page", "panel", "root", "section", "wrap", "wrapper",
    }
)  # fmt: skip
"""Words that every page has, and that say nothing of where something is."""
MAX_SAID = 60
LEAST_STAY = 0.9


def names_for(kind: str, chain: Sequence[Level], said: str, path: str, heading: str = "") -> tuple[str, ...]:
    """Names for an event of this kind on the first element of a chain, from plain to precise.

    `said` are the words on it, `heading` those above it. Words that tell nothing by themselves, such as `1` or `×`,
    are never all of a name.

    >>> from types import SimpleNamespace as Level
    >>> link = Level(tag="a", attributes={}, dom_id=None, classes=("page",))
    >>> pager = Level(tag="nav", attributes={"aria-label": "Pages"}, dom_id=None, classes=())
    >>> names_for("click", [link, pager], "Buy now", "/tea")[0]
    'Clicked Buy now'
    >>> names_for("click", [link, pager], "1", "/tea")
    ('Clicked link 1 in Pages', 'Clicked link 1 on /tea', 'Clicked link 1 in Pages on /tea')
    """
    level, page = chain[0], f"on {path or '/'}"
    around = _shortened(heading) if is_telling(heading) else _place(chain[1:])
    inside = f"in {around}" if around else ""
    words = _words(level, said)
    verb = VERBS.get(kind) or kind.replace("_", " ").capitalize()
    plain = f"{verb} {words}" if words else " ".join(filter(None, (verb, _noun(level), _called(level, said))))
    tails = ["", inside, page, f"{inside} {page}"] if words else [inside, page, f"{inside} {page}"]
    found = (
        unpinned(" ".join(f"{plain} {tail}".split())[:MAX_NAME].strip()) for tail in tails if words or tail
    )
    return tuple(dict.fromkeys(found))


def name_for(kind: str, level: Level, said: str, path: str) -> str:
    """One name, where nothing is known of what is around the element.

    >>> from types import SimpleNamespace as Level
    >>> icon = Level(tag="a", attributes={}, dom_id=None, classes=("cart",))
    >>> name_for("click", icon, "Buy now", "/tea"), name_for("click", icon, "", "/tea")
    ('Clicked Buy now', 'Clicked link cart on /tea')
    """
    return names_for(kind, [level], said, path)[0]


def free_name(names: Iterable[str], taken: Collection[str]) -> str:
    """The first of these names that nothing has, else the last one with a number; `taken` are keys of names.

    >>> free_name(["Bought", "Bought on /tea"], {"bought"}), free_name(["Bought"], {"bought", "bought 2"})
    ('Bought on /tea', 'Bought 3')
    """
    last = ""
    for last in map(unpinned, names):
        if name_key(last) not in taken:
            return last
    number = 2
    while name_key(f"{last} {number}") in taken:
        number += 1
    return f"{last} {number}"


def is_telling(words: str) -> bool:
    """Whether somebody who reads these words alone knows what they are about.

    >>> [is_telling(each) for each in ("Buy", "1", "×", "x", "買", "+ 2", "OK")]
    [True, False, False, False, True, False, True]
    """
    letters = [each for each in words if unicodedata.category(each).startswith("L")]
    return len(letters) > 1 or any(not each.isascii() for each in letters)


def _words(level: Level, said: str) -> str:
    """The words that people see or hear of an element, if they tell anything; else what the site calls a field."""
    candidates = [said, *(level.attributes.get(name) or "" for name in WORDS)]
    if level.tag in ("input", "textarea", "select"):
        candidates.append(level.attributes.get("name") or "")
    return next((_shortened(each) for each in candidates if is_telling(each)), "")


def _called(level: Level, said: str) -> str:
    """What tells nothing by itself, or what the site's own people call an element."""
    return _shortened(said) or _own_name(level)


def _own_name(level: Level) -> str:
    tag = level.tag if "-" in level.tag else ""
    called = [*(level.attributes.get(name) or "" for name in CALLED), level.dom_id or "", tag, *level.classes]
    return next((_spelled(each) for each in called if _is_word(each)), "")


def _is_word(token: str) -> bool:
    is_kept = is_telling(token) and token not in VAGUE and not is_generated(token) and not is_state(token)
    return is_kept and stays(token) >= LEAST_STAY


def _noun(level: Level) -> str:
    return level.attributes.get("role") or NOUNS.get(level.tag, level.tag)


def _place(around: Sequence[Level]) -> str:
    """What the nearest element around that has a name is called."""
    for level in around:
        if level.tag in ("body", "html"):
            break
        label = next(filter(is_telling, (level.attributes.get(name) or "" for name in WORDS[:2])), "")
        if called := label or _own_name(level):
            return _shortened(called)
        if level.tag in PLACES:
            return NOUNS.get(level.tag, level.tag)
    return ""


def _spelled(token: str) -> str:
    """A token as words.

    >>> _spelled("add-to-cart"), _spelled("siteHeader"), _spelled("cart_form")
    ('add to cart', 'site header', 'cart form')
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", token)
    return _shortened(re.sub(r"[\s_.:/-]+", " ", apart).lower())


def _shortened(words: str) -> str:
    """The words in one line, cut between two of them."""
    line = " ".join(words.split())
    return line if len(line) <= MAX_SAID else line[:MAX_SAID].rsplit(" ", 1)[0]
