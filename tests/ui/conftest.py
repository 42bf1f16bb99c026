"""What the tests of pages share: the ends of pointing, which a file starts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.profile import emptied_afterwards
from tests.browser.snippet_site import running_site
from tests.serving import Relay, Serving, make_site
from tests.ui.pointing_bench import Bench


@pytest.fixture(scope="module")
def ends(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Serving, Relay]]:
    data = tmp_path_factory.mktemp("definer") / "data"
    make_site(data, count_bots=True, count_internal=True)
    with Serving(data) as serving, Relay(serving.url) as relay:
        yield data, serving, relay


@pytest.fixture(scope="module")
def first_tab(chromium: Browser) -> Iterator[Page]:
    """As everywhere, in windows of the size in which people point."""
    context = chromium.new_context(viewport={"width": 1280, "height": 820})
    yield context.new_page()
    context.close()


@pytest.fixture
def bench(first_tab: Page, ends: tuple[Path, Serving, Relay]) -> Iterator[Bench]:
    data, serving, relay = ends
    with running_site() as site, emptied_afterwards(first_tab) as context:
        yield Bench(context, serving, relay, site, data, context.new_page())
