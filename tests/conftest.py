"""What any test may ask for: a browser, a free port, an empty folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from expost.clock import wall_clock
from expost.demo.chromium import FLAGS, find_chromium
from expost.lake.folder import Folder, open_folder
from expost.query.analysis import Analysis
from expost.query.definition import definition
from expost.state.database import State
from expost.state.keys import add_key
from expost.state.sites import Site, add_site
from tests.browser.profile import emptied_afterwards
from tests.distribution import BrowsersBeside, browser_order
from tests.serving import make_site
from tests.story import Story, small_rich_lake

PATIENT_MS = 20_000
"""How long a page may take to show what is expected: tests run beside one another on busy machines."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--pictures DIR` keeps what the demonstration shows."""
    parser.addoption("--pictures", help="keep the pictures of the demonstration in this folder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that drive a browser run last: while Playwright is open, `asyncio.run` refuses to work in this thread.

    A file goes to one worker as a whole, and `BrowsersBeside` lets none go back to one without.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    driving = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(
        key=lambda item: (item.path in driving, item.path in driving and browser_order(item.path.stem))
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BrowsersBeside | None:
    """How files are distributed with `--dist loadfile`; in other modes as xdist does it."""
    return BrowsersBeside(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The program. Without it browser tests are left out loudly, and fail in CI."""
    path = find_chromium()
    if path is None:
        message = (
            "NO CHROMIUM, no browser tests. Install it (Debian: apt-get install chromium) or set CHROMIUM."
        )
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def chromium(chromium_path: Path) -> Iterator[Browser]:
    """One Chromium for the whole run. Open a context or a page of your own in it."""
    with sync_playwright() as playwright:
        # Playwright opens the debugging pipe itself and refuses to be told so.
        flags = [flag for flag in FLAGS if not flag.startswith("--remote-debugging")]
        expect.set_options(timeout=PATIENT_MS)
        browser = playwright.chromium.launch(executable_path=chromium_path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def first_tab(chromium: Browser) -> Iterator[Page]:
    """A tab that stays blank while the tests of a file open and close theirs beside it.

    Chromium takes a whole profile down with its last tab. To start that anew, renderers and all, costs more than what
    most tests do in it.
    """
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def page(first_tab: Page) -> Iterator[Page]:
    """An empty tab in a browser that remembers nothing.

    A script or a listener for all tabs of its context would outlast the test: give it to each tab.
    """
    with emptied_afterwards(first_tab) as context:
        yield context.new_page()


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """An empty folder, to become the data folder of one test."""
    folder = tmp_path / "expost-data"
    folder.mkdir()
    return folder


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a test that is a demonstration puts what it shows."""
    asked = request.config.getoption("--pictures")
    return Path(asked) if asked else tmp_path


@pytest.fixture
def lake(tmp_path: Path) -> Story:
    """An empty lake that is filled by telling who did what: see `tests/story.py`."""
    return Story(tmp_path / "lake-data")


@pytest.fixture
def rich_lake(lake: Story) -> Story:
    """A small lake with a bit of everything in it."""
    return small_rich_lake(lake)


@pytest.fixture(scope="session")
def ann_and_bob(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with a site and the story of two people in several files. For reading: who changes it copies it."""
    from tests.lake.test_erasure import store

    path = tmp_path_factory.mktemp("ann and bob") / "data"
    make_site(path)
    folder = open_folder(path)
    store(folder)
    return folder


@pytest.fixture(scope="session")
def rich_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small rich lake with a site, a key and two definitions. For reading: who changes it copies it."""
    story = small_rich_lake(Story(tmp_path_factory.mktemp("rich shop") / "expost-data"))
    state = State(story.folder.state_path)
    add_site(state, Site("shop", "Shop", created_at=wall_clock()))
    add_key(state, "shop", "write", wall_clock)
    state.close()
    opened = Analysis(story.path)
    opened.define(definition("Viewed page", view="/**"))
    opened.define(definition("Bought", click="form.cart button.buy"))
    opened.close()
    return story.path
