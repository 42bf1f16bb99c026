"""Every sentence of the rules has a case, or a test that shows what no case can; every case stands under a sentence."""

from __future__ import annotations

import re

from tests.semantics.cases import read_cases
from tests.semantics.sentences import ROOT, read_sentences, sentences_of_the_page

INDEX = read_sentences()


def test_the_index_has_the_sentences_of_the_page_in_their_order() -> None:
    page = list(sentences_of_the_page())
    index = [(each.of, each.says) for each in INDEX if each.of[0].isdigit() and each.of != "2"]
    assert len(page) > 70
    for (item, sentence), (of, says) in zip(page, index, strict=True):
        assert item == of, sentence
        assert sentence.startswith(says)


def test_every_sentence_has_a_case_or_a_test_that_is_there() -> None:
    cases = read_cases()
    for each in INDEX:
        assert each.cases or each.tests or each.not_built, each.says
        assert set(each.cases) <= cases.keys(), each.says
        for test in each.tests:
            file, _, name = test.partition("::")
            text = (ROOT / file).read_text(encoding="utf-8")
            assert not name or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), test


def test_every_case_stands_under_a_sentence() -> None:
    held = {case for each in INDEX for case in each.cases}
    assert not read_cases().keys() - held


def test_a_case_names_the_section_under_which_it_stands() -> None:
    """At least one of those that it names, that is: a case may show more than its rule says."""
    sections: dict[str, set[str]] = {}
    for each in INDEX:
        for case in each.cases:
            sections.setdefault(case, set()).add(each.of[0])
    for name, asked in read_cases().items():
        named = set(re.findall(r"\d", asked["rule"].partition(":")[0]))
        assert named & sections[name] or "s" in sections[name], name
