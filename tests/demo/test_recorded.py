"""The recorded pages are those of the shop and the snippet as they are now. Mend with: python -m expost.demo.record"""

import pytest

from expost.demo.actions import PAGES
from expost.demo.record import record_shop
from expost.demo.recorded_page import RECORDED, recorded_page

# One of each template: the other categories and products differ from these only in names and numbers.
SAMPLES = [
    "category-green",
    "product-sencha",
    "cart",
    "checkout-control",
    "checkout-treatment",
    "thanks",
    "signup",
    "account",
]


def test_every_page_and_action_is_recorded_and_nothing_else():
    assert {file.name for file in RECORDED.iterdir()} == {f"{name}.json" for name in PAGES}
    for name, page in PAGES.items():
        assert set(recorded_page(name).actions) == {"enter", *(action.name for action in page.actions)}


@pytest.mark.browser
def test_recording_anew_gives_what_is_kept(chromium_path):
    for page in record_shop(SAMPLES):
        kept = (RECORDED / f"{page.name}.json").read_text("utf-8")
        assert page.to_text() == kept, (
            f"{page.name} has changed; record it anew: python -m expost.demo.record"
        )
