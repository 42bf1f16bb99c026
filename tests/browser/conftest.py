"""What browser tests may ask for beside the browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.snippet_site import Site, running_site


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that carries the snippet, and a collector that keeps what it gets."""
    with running_site() as running:
        yield running
