"""A shop with three visitors, made once and copied for each test that opens it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from expost.query.analysis import Analysis
from expost.state.database import State
from expost.state.sites import Site, add_site
from tests.story import Story, click, expose, identify, track, view


@pytest.fixture(scope="session")
def three_visitors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ann and bob saw a flag, and only ann bought. For reading: who changes it copies it."""
    story = Story(tmp_path_factory.mktemp("three visitors") / "data")
    story.capture(
        "ann", view("/"), expose("f", "red"), click("form.cart button.buy span", label="Buy now"), at="10:00"
    )
    story.capture("ann", identify("ann@shop.example"), track("Paid", amount=12), at="10:10")
    story.capture("bob", view("/"), expose("f", "blue"), click("nav a.help", label="Help"), at="11:00")
    story.capture("cy", view("/pricing"), at="12:00")
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop"))
    state.close()
    return story.path


@pytest.fixture
def analysis(three_visitors: Path, tmp_path: Path) -> Iterator[Analysis]:
    """The shop with three visitors, open."""
    folder = tmp_path / "three-visitors"
    shutil.copytree(three_visitors, folder)
    opened = Analysis(folder, memory_limit="500MB", threads=1, max_seconds=60)
    yield opened
    opened.close()
