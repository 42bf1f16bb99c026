"""What the tests of pages share: the ends of pointing, which a file starts once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

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


@pytest.fixture
def bench(chromium: Browser, ends: tuple[Path, Serving, Relay]) -> Iterator[Bench]:
    data, serving, relay = ends
    context = chromium.new_context(viewport={"width": 1280, "height": 820})
    with running_site() as site:
        yield Bench(context, serving, relay, site, data, context.new_page())
    context.close()
