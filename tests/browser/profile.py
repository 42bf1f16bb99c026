"""One profile of a browser for the tests of a file: what the next test must not find in it goes after each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page


@contextmanager
def emptied_afterwards(first_tab: Page) -> Iterator[BrowserContext]:
    """The context of a tab that stays; afterwards it has no other tab and remembers nothing."""
    context = first_tab.context
    yield context
    context.unroute_all()
    context.set_offline(False)
    for tab in set(context.pages) - {first_tab}:
        tab.close()
    protocol = context.new_cdp_session(first_tab)
    protocol.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    protocol.send("Network.clearBrowserCache")
    protocol.detach()
