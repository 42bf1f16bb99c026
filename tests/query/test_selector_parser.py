from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.errors import SelectorError
from expost.query.css import escape_identifier, quote_string
from expost.query.refusal import MAX_CHARACTERS
from expost.query.selector import Attribute, Class, Complex, Compound, Id, Selector, Type
from expost.query.selector_parser import parse
from tests.query.selector_strategies import css_selectors


def refused(text: str) -> SelectorError:
    with pytest.raises(SelectorError) as caught:
        parse(text)
    return caught.value


def test_a_selector_becomes_alternatives_of_compounds_with_combinators() -> None:
    form = Compound((Type("form"), Class("signup")))
    button = Compound((Type("button"), Attribute("type", "=", "submit")))
    link = Compound((Id("go"),))
    assert parse("form.signup>button[type=submit], #go") == Selector(
        (Complex((form, button), (">",)), Complex((link,)))
    )


@pytest.mark.parametrize(("text", "canonical"), [
    (" a ", "a"), ("ul>li", "ul > li"), ("a/**/.b", "a.b"), ("[a=b]", '[a="b"]'), ("[ a = 'b'i ]", '[a="b" i]'),
    (".\\31 0", ".\\31 0"), ("#\\1F642", "#🙂"), ("[a='\\a ']", '[a="\\a "]'), (":NTH-child(ODD)", ":nth-child(2n+1)"),
    (":nth-child( - 2 )", None), (":nth-child(-n)", ":nth-child(-1n)"), (":not(a,b > c)", ":not(a, b > c)"),
    # The end of the text closes what is open, as in browsers.
    (":is(a", ":is(a)"), ("[a='b", '[a="b"]'),
])  # fmt: skip
def test_every_selector_has_one_canonical_text(text: str, canonical: str | None) -> None:
    if canonical is None:
        refused(text)
    else:
        assert str(parse(text)) == canonical


@given(css_selectors())
def test_the_canonical_text_means_the_same(text: str) -> None:
    tree = parse(text)
    assert parse(str(tree)) == tree
    assert "\n" not in str(tree), "it stands in a comment of the SQL"


@given(st.text(min_size=1), st.text())
def test_any_name_and_value_can_be_written(name: str, value: str) -> None:
    # CSS knows neither the character NUL nor half of a pair.
    name, value = (text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for text in (name, value))
    text = f"#{escape_identifier(name)}.{escape_identifier(name)}[data-x={quote_string(value)}]"
    assert parse(text).alternatives[0].compounds[0].conditions == (
        Id(name), Class(name), Attribute("data-x", "=", value),
    )  # fmt: skip


@pytest.mark.parametrize(("text", "token", "offset", "word"), [
    ("nav a:hover", ":hover", 5, "pointer"),
    ("a:has(b)", ":has()", 1, "inside"),
    ("a::before", "::before", 1, "pseudo-element"),
    ("a:before", ":before", 1, "pseudo-element"),
    ("svg|a", "svg|", 0, "namespaces"),
    ("*|a", "*|", 0, "namespaces"),
    ("[xlink|href]", "xlink|", 1, "namespaces"),
    ("[xlink\\:href]", "xlink\\:href", 1, "namespace"),
    ('b, [style*="red"]', "style", 4, "never captured"),
    ("[VALUE=x]", "VALUE", 1, "never captured"),
    ("[onclick]", "onclick", 1, "never captured"),
    ("li:nth-child(2 of .x)", "of", 15, "siblings"),
    ("h2 + ", "+", 3, "missing"),
    ("~ p", "~", 0, "missing"),
    ("a:not(+ b)", "+", 6, "missing"),
    ("h2 ~+ p", "+", 4, "missing"),
    ("u+b", "u+", 0, "range of characters"),
    (".u+abc", "u+", 1, "range of characters"),
    ("input:checked(1)", ":checked()", 5, "no argument"),
    ("input:indeterminate", ":indeterminate", 5, "never captured"),
    ("a:visited", ":visited", 1, "visited"),
    ("a:nope(1)", ":nope()", 1, "known"),
    ("a:is()", "(", 4, "empty"),
    (":is(a, :nope)", ":nope", 7, "known"),
    ("a,", ",", 1, "missing"),
    ("", "", 0, "empty"),
    (" ", "", 0, "empty"),
    ("a{", "{", 1, "no meaning"),
    ("a'x\n", "a quote", 1, "not closed"),
    (":nth-child(n/**/+x)", "n+x", 11, "no position"),
    (":nth-child(2n +)", "2n +", 11, "no position"),
    (":nth-child(+)", "+", 11, "no position"),
    ("> a", ">", 0, "missing"),
    ("a >", ">", 2, "missing"),
    ("a\r\n  b:hover", ":hover", 6, "pointer"),
    ("a || b", "||", 2, "combinator"),
    ("&.a", "&", 0, "stands for"),
    ("#1", "#1", 0, "escaped"),
    (".1", ".1", 0, "number"),
    (":nth-child(99999999)", "99999999", 11, "1,000,000"),
    ("a)", ")", 1, "ends or breaks"),
])  # fmt: skip
def test_what_is_refused_is_named_with_its_place_and_the_reason(
    text: str, token: str, offset: int, word: str
) -> None:
    error = refused(text)
    assert (error.token, error.offset) == (token, offset)
    assert word in error.reason
    assert error.reason.endswith(".")


def test_the_caret_stands_under_the_token() -> None:
    assert refused("nav a:hover").with_caret() == "nav a:hover\n     ^"


def test_of_a_long_selector_a_part_is_drawn() -> None:
    for text in ("a, " * 50 + "a:hover", "a:hover" + ", b" * 90, "b, " * 50 + "a:hover" + ", b" * 90):
        line, caret = refused(text).with_caret().splitlines()
        assert len(line) <= 100
        assert line[len(caret) - 1 :].startswith(":hover")


@pytest.mark.parametrize("bomb", [
    "a," * 100_000, "a" * (MAX_CHARACTERS + 1), ":not(" * 700 + "a", ".a" * 300, "a " * 300, "(" * 3_000, "[" * 3_000,
    ":is(a, b)" * 150, "*," * 1_500 + "*",
])  # fmt: skip
def test_selector_bombs_are_refused(bomb: str) -> None:
    refused(bomb)


@given(st.text(alphabet="ab.#[]()=\"':*>+~|,\\ \n-0n^$i", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except SelectorError:
        error = refused(text)
        assert 0 <= error.offset <= len(text)
        assert error.reason
    else:
        assert parse(str(tree)) == tree
