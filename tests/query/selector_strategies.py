"""Small pages and selectors that meet: both draw from the same few names."""

from __future__ import annotations

from hypothesis import strategies as st

from expost.query.css import escape_identifier, quote_string

TAGS = ["div", "span", "b"]
IDS = ["main", "a1", "Main"]
CLASSES = ["a", "a", "b", "A", "btn-x", "1st", "w:h", "🙂"]
VALUES = ["", "a", "b", "ab", "a b", "a-b", "A", "a…", "ba", "É", "é", " a", "a\tb", 'q"', "x\\"]
NAMES = ["title", "data-a", "type", "href", "class", "id"]

_quoted = st.sampled_from(VALUES).map(quote_string)


FIELDS = [
    "<input>", "<input disabled required>", "<input type=checkbox checked class=a>", "<input readonly class=b>",
    "<textarea required></textarea>", "<select disabled><option selected></option><option class=a></option></select>",
    "<fieldset disabled><input><textarea></textarea></fieldset>", '<div contenteditable=""><b></b></div>',
    "<details open class=b></details>",
]  # fmt: skip
STATES = [":checked", ":disabled", ":enabled", ":required", ":optional", ":read-only", ":read-write"]


@st.composite
def _attributes(draw: st.DrawFn) -> str:
    found = {}
    if draw(st.booleans()):
        found["class"] = draw(st.sampled_from([" ", "\t", " \n"])).join(
            draw(st.lists(st.sampled_from(CLASSES), max_size=3))
        )
    if draw(st.booleans()):
        found["id"] = draw(st.sampled_from(IDS))
    for name in draw(st.sets(st.sampled_from(["title", "data-a", "type", "href"]), max_size=2)):
        found[name] = draw(st.sampled_from(VALUES))
    return "".join(
        f' {name}="{value.replace("&", "&amp;").replace(chr(34), "&quot;")}"' for name, value in found.items()
    )


_elements: st.SearchStrategy[str] = st.deferred(
    lambda: st.builds(
        lambda tag, attributes, inside: f"<{tag}{attributes}>{inside}</{tag}>",
        st.sampled_from(TAGS),
        _attributes(),
        st.lists(_elements | _elements | st.just("text") | st.sampled_from(FIELDS), max_size=4).map("".join),
    )
)


def markup() -> st.SearchStrategy[str]:
    """The inside of a body with at least one element."""
    return st.lists(_elements, min_size=1, max_size=5).map("".join)


def _numbers() -> st.SearchStrategy[str]:
    formula = st.builds(lambda a, b: f"{a}n{b:+d}", st.integers(-3, 3), st.integers(-3, 4))
    return formula | st.sampled_from(["odd", "even", "1", "2", "n", "-n+2", "0"])


def _simple() -> st.SearchStrategy[str]:
    flags = ["", " i", " s"]
    operators = ["=", "~=", "|=", "^=", "$=", "*="]
    return st.one_of(
        st.sampled_from(IDS).map(lambda name: f"#{name}"),
        st.sampled_from(CLASSES).map(lambda name: f".{escape_identifier(name)}"),
        st.sampled_from(NAMES).map(lambda name: f"[{name}]"),
        st.builds(
            lambda name, operator, value, flag: f"[{name}{operator}{value}{flag}]",
            st.sampled_from(NAMES), st.sampled_from(operators), _quoted, st.sampled_from(flags),
        ),
        st.builds(
            lambda name, number: f":{name}({number})",
            st.sampled_from(["nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"]), _numbers(),
        ),
        st.sampled_from(STATES),
        st.sampled_from([
            ":first-child", ":last-child", ":only-child", ":first-of-type", ":last-of-type", ":only-of-type", ":root",
        ]),
    )  # fmt: skip


def css_selectors(depth: int = 2) -> st.SearchStrategy[str]:
    """Selectors of the whole grammar."""
    simple = _simple()
    if depth:
        inner = css_selectors(depth=depth - 1)
        simple = simple | st.builds(
            lambda name, inside: f":{name}({inside})", st.sampled_from(["not", "is", "where"]), inner
        )
    types = st.sampled_from([*TAGS, "*", "*", "", "", "DIV", "body", "input"])
    compound = st.builds(
        lambda tag, rest: (tag + "".join(rest)) or "*", types, st.lists(simple, max_size=2) | st.just([])
    )
    complex_ = st.builds(
        lambda first, rest: first + "".join(combinator + each for combinator, each in rest),
        compound,
        st.lists(
            st.tuples(st.sampled_from([" ", " > ", ">", "  ", " + ", " ~ ", "+", "~"]), compound), max_size=2
        ),
    )
    return st.lists(complex_, min_size=1, max_size=2).map(", ".join)
