"""The words keep up with the code: every command, setting, route and error code stands in the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from fastapi import FastAPI

from expost.api import create_api
from expost.cli import main
from expost.collector import service as collector
from expost.errors import ExpostError
from expost.query.form import COMMON, SPLITS, UNITS
from expost.query.form_cohort import COHORT
from expost.query.form_definition import (
    CONDITIONS,
    DIFFERENCE,
    HEALTH,
    PREVIEW,
    SUGGESTIONS,
    UNNAMED,
    VALIDITY,
)
from expost.query.form_funnel import FUNNEL_PEOPLE
from expost.query.form_retention import RETENTION_PEOPLE
from expost.query.form_seen import LIVE, LOSSES, REJECTED, TIMELINE
from expost.query.form_sessions import SESSION, SESSIONS
from expost.query.form_trend import TREND_PEOPLE
from expost.query.form_ways import LIFECYCLE, PATHS, STICKINESS
from expost.query.word import Word
from expost.question_routes import ASKED
from expost.settings import Settings

GROUPS = {
    "Every question": COMMON,
    "What is counted": (*UNITS, *SPLITS),
    "Conditions of a definition": (*CONDITIONS, *VALIDITY),
    "Preview": PREVIEW,
    "Funnel": FUNNEL_PEOPLE,
    "Retention": RETENTION_PEOPLE,
    "Trend": TREND_PEOPLE,
    "Stickiness": STICKINESS,
    "Lifecycle": LIFECYCLE,
    "Paths": PATHS,
    "Sessions": (*SESSIONS, *SESSION),
    "Cohort": COHORT,
    "Difference, suggestions, what has no name": (*DIFFERENCE, *SUGGESTIONS, *UNNAMED, *HEALTH),
    "What arrived": (*LOSSES, *REJECTED, *TIMELINE, *LIVE),
}
"""The words of questions as the reference lists them, each once: what an earlier group has is not listed again."""


def word_rows() -> list[str]:
    """The rows of the reference's tables of words, with their headings."""
    rows: list[str] = []
    listed: set[Word] = set()
    for title, words in GROUPS.items():
        rows += [f"### {title}", "| word | in Python | what it says |", "|---|---|---|"]
        for word in words:
            if word not in listed:
                rows.append(
                    f"| `{word.name}` | {f'`{word.python}`' if word.python else ''} | {said_of(word)} |"
                )
        listed |= set(words)
    return rows


def said_of(word: Word) -> str:
    """What a word says, its choices or an example, and whether it is repeated."""
    more = " or ".join(f"`{each}`" for each in word.choices)
    more = more or ("" if word.is_switch else f"for example `{word.example}`")
    parts = [
        word.says,
        more if "`" not in word.says or word.example else "",
        "repeated" if word.is_many else "",
    ]
    return "; ".join(part.rstrip(".") for part in parts if part)


ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(main, "expost"))


# Imported, because its errors belong to the tree.
assert collector.PUBLIC_PATHS


def errors(kind: type[ExpostError] = ExpostError) -> Iterator[type[ExpostError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from errors(child)


def test_every_word_of_a_question_is_in_the_reference_as_it_is():
    missing = [row for row in word_rows() if row not in REFERENCE]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.path)
def test_every_route_that_asks_takes_what_its_own_schema_says(asked):
    async def call(*_: object, **__: object) -> None: ...

    app = FastAPI()
    app.include_router(create_api(call))
    said = app.openapi()["paths"][f"/api/v1{asked.path}"]["get"]["parameters"]
    assert [each["name"] for each in said] == [word.name for word in asked.words]
    assert all(each["description"] for each in said)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference_and_shows_an_example(name):
    assert f"| `{name}` |" in REFERENCE
    assert f"Example: {name}" in (COMMANDS[name].help or "")


@pytest.mark.parametrize("setting", [row[0] for row in Settings().shown()])
def test_every_setting_is_in_the_reference(setting):
    assert f"| `{setting}` |" in REFERENCE


@pytest.mark.parametrize("kind", list(errors()), ids=lambda kind: kind.__name__)
def test_every_error_code_is_in_the_reference(kind):
    assert f"| `{kind.code}` | {kind.status} |" in REFERENCE


def test_every_route_of_the_api_is_in_the_reference():
    async def call(*_: object, **__: object) -> None: ...

    for route in create_api(call).routes:
        path = re.sub(r":\w+}", "}", route.path)  # type: ignore[attr-defined]
        assert f"{path}` |" in REFERENCE, path


def test_every_citation_of_the_rules_leads_to_a_section():
    sections = set(re.findall(r"^## (\d+)\. ", (ROOT / "docs" / "rules.md").read_text("utf-8"), re.MULTILINE))
    cited = 0
    for folder in ("lake", "query", "ui", "expost", "collector", "tests", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix not in (".py", ".sql", ".md", ".js", ".toml", ".html") or not path.is_file():
                continue
            text = path.read_text("utf-8")
            assert "SEMANTICS" + ".md" not in text, path
            for numbers in re.findall(r"docs/rules\.md (\d+(?: (?:and|to) \d+)?)", text):
                cited += 1
                assert set(re.findall(r"\d+", numbers)) <= sections, (path, numbers)
    assert cited > 20


def test_every_case_of_the_rules_names_its_section():
    sections = set(re.findall(r"^## (\d+)\. ", (ROOT / "docs" / "rules.md").read_text("utf-8"), re.MULTILINE))
    for path in (ROOT / "tests" / "semantics").glob("*.toml"):
        for rule in re.findall(r'^rule = "([^"]*)"', path.read_text("utf-8"), re.MULTILINE):
            assert set(re.findall(r"\d+", rule.split(":")[0])) <= sections, (path.name, rule)
