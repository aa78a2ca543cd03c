"""What README.md promises a newcomer: from the address that it names, one click leads to a card."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk
from tests.support.places import ROOT

_ADDRESS = re.compile(r"<http://127\.0\.0\.1:8000(/sandbox#story=[a-z-]+)>")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md"])
def test_one_click_leads_to_a_card(name: str, page: Page) -> None:
    """The chart is open with the problem typed in; a click on Record brings the card, and before it there is none."""
    (address,) = set(_ADDRESS.findall((ROOT / name).read_text("utf-8")))
    page.goto(address)
    desk = Desk(page)
    expect(page.get_by_label("Problem", exact=True)).not_to_have_value("")
    expect(desk.cards).to_have_count(0)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(desk.cards.first.get_by_role("heading", level=3)).to_contain_text("could explain the twitching")
