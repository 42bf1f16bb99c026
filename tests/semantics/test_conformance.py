"""The cases as other products get them, and how an adapter is asked; docs/conformance.md is held to both."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from tests.semantics.cases import QUESTIONS, question_of, read_cases, site_of, week_start_of
from tests.semantics.conformance import case_of, event_of, exported, happening_of, main
from tests.semantics.figures import EXPECTED
from tests.semantics.happening import read_story
from tests.semantics.sentences import ROOT

PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
SAYS_NOTHING = "import sys; [print('{}', flush=True) for _ in sys.stdin]"
ANSWERS_NOTHING = 'import sys; [print(\'{"unanswered": "nothing here"}\', flush=True) for _ in sys.stdin]'


def said(*words: str) -> str:
    out = io.StringIO()
    main(words, out)
    return out.getvalue()


def test_an_event_of_a_file_is_the_event_of_its_line() -> None:
    for case in read_cases().values():
        for happening in read_story(case["events"]):
            assert happening_of(json.loads(json.dumps(event_of(happening)))) == happening


def test_a_question_of_a_file_is_the_question_of_its_case() -> None:
    for name, case in read_cases().items():
        again = case_of(json.loads(json.dumps(exported(name, case))))
        assert question_of(again) == question_of(case), name
        assert (site_of(again), week_start_of(again)) == (site_of(case), week_start_of(case)), name


def test_expost_answers_a_file_as_the_case_demands() -> None:
    shown = said("run", "--kind", "paths", "--", sys.executable, "-m", "tests.semantics.own_adapter")
    assert shown.endswith("| all | 7 | 0 | 0 |\n")


def test_every_case_becomes_a_file(tmp_path: Path) -> None:
    assert said("export", str(tmp_path / "cases")).startswith(f"{len(read_cases())} cases in ")
    found = {file.stem: json.loads(file.read_text("utf-8")) for file in (tmp_path / "cases").iterdir()}
    assert found == {
        name: json.loads(json.dumps(exported(name, case))) for name, case in read_cases().items()
    }


def test_the_page_names_every_word_of_a_file() -> None:
    named = set(re.findall(r"`([a-z_]+)", PAGE)) | set(re.findall(r'"([a-z_]+)":', PAGE))
    for name, case in read_cases().items():
        found = exported(name, case)
        words = {
            *found,
            *found["question"],
            *found["site"],
            *(key for event in found["events"] for key in event),
        }
        assert words <= named, words - named
        assert set(found["expected"]) <= named
    assert {*QUESTIONS, *EXPECTED} <= named


def test_the_example_on_the_page_is_a_case() -> None:
    [example] = re.findall(r"```json\n(\{\n.*?)```", PAGE, re.DOTALL)
    given = json.loads(example)
    assert given == json.loads(json.dumps(exported(given["case"], read_cases()[given["case"]])))


def test_an_adapter_is_asked_a_line_at_a_time_and_its_answers_are_compared() -> None:
    adapter = (
        "run",
        "--kind",
        "funnel",
        "--",
        sys.executable,
        "-m",
        "tests.semantics.window_funnel",
        "strict_increase",
    )
    shown = said("run", "--show", *adapter[1:])
    table = shown[shown.index("| rule |") :]
    assert table in PAGE, f"What windowFunnel says has changed; the table on the page is now:\n{table}"
    assert "people-14 differs: 3: Windows over a day boundary leave daily ids out" in shown
    assert "{'expect': ({'total': [1, 0]}, {'total': [2, 1]})}" in shown
    assert "no windows" in shown


def test_an_adapter_that_answers_nothing_or_ends_is_told() -> None:
    found = said("run", "--kind", "lifecycle", "--", sys.executable, "-c", ANSWERS_NOTHING)
    assert found.endswith("| all | 0 | 0 | 3 |\n")
    found = said("run", "--kind", "lifecycle", "--", sys.executable, "-c", SAYS_NOTHING)
    assert found.endswith("| all | 0 | 3 | 0 |\n")
    with pytest.raises(SystemExit, match="ended before it answered ways-4"):
        said("run", "--kind", "lifecycle", "--", sys.executable, "-c", "pass")
