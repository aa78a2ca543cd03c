"""The pictures of the documentation: each view that is shown can be reached, in a window of the picture's size.

`make screenshots` takes them again into docs/images. Pixels are not compared: fonts differ between machines.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk
from tests.support.documented import pages
from tests.support.places import ROOT, SAMPLES

IMAGES = ROOT / "docs" / "images"
FOLDER_VARIABLE = "CDS_TESTS_SCREENSHOTS"
"""Where pictures are kept; without it they go with the test."""
MOST_BYTES = 1_500_000
THIAZIDE, BENIGN = "ms-fasciculation-on-thiazide", "benign-twitch-with-caffeine"
_SHOWN = re.compile(r"!\[[^\]]+\]\((?:docs/)?images/([^)]+)\)")
_PNG = b"\x89PNG\r\n\x1a\n"


def cards(page: Page) -> None:
    """A chart and the card on what was recorded in it."""
    desk = Desk(page)
    desk.visit()
    desk.open_story(THIAZIDE)
    desk.record()
    expect(desk.cards.first.get_by_role("heading", level=3)).to_be_in_viewport()


def why(page: Page) -> None:
    """The argument behind that card."""
    cards(page)
    panel = Desk(page).view("Why")
    expect(panel.locator(".ranking > li").first).to_be_in_viewport()


def what_if(page: Page) -> None:
    """A potassium that was changed, its red flag, and what moved."""
    desk = Desk(page)
    desk.visit()
    desk.open_story(BENIGN)
    desk.record()
    page.get_by_role("button", name="What if…").click()
    desk.change("Value of Potassium", "2.4")
    expect(desk.moved).to_contain_text("New red flag Potassium at a dangerous level")
    expect(desk.cards.first).to_contain_text("Critical")
    page.evaluate("scrollTo(0, 0)")
    expect(desk.moved).to_be_in_viewport()


def history(page: Page) -> None:
    """The questions, with one answered, and what that moved."""
    desk = Desk(page)
    desk.visit()
    desk.open_story(BENIGN)
    desk.record()
    form = desk.view("History")
    with page.expect_response("**/cds-services/muscle-spasm-problem"):
        form.get_by_role("group", name="Is the speech slurred?").get_by_label("Yes", exact=True).check()
    expect(form).to_contain_text("1 answered")
    expect(desk.moved).to_contain_text("New red flag")
    expect(form.get_by_role("group", name="Is the speech slurred?")).to_be_in_viewport()


def gallery(page: Page) -> None:
    """Every sample with its cards."""
    page.goto("/sandbox/gallery")
    first = page.locator("article").first
    first.evaluate("(card) => card.scrollIntoView({block: 'center'})")
    expect(first).to_be_in_viewport()


def explain(page: Page) -> None:
    """The explanation of a pasted answer."""
    answer = page.request.post(
        "/cds-services/muscle-spasm-problem",
        data=(SAMPLES / "high-potassium-in-kidney-disease" / "request.json").read_bytes(),
        headers={"Content-Type": "application/json"},
    )
    page.goto("/sandbox/explain")
    page.wait_for_selector("html[data-ready]")
    page.get_by_label("Card or answer").fill(answer.text())
    page.get_by_role("button", name="Explain", exact=True).click()
    explanation = page.get_by_label("Explanation", exact=True)
    expect(explanation).to_contain_text("RF10")
    page.evaluate("scrollTo(0, 0)")
    expect(explanation.get_by_role("heading").first).to_be_in_viewport()


class Picture(NamedTuple):
    """A view, and the window that it is shown in, in pixels."""

    show: Callable[[Page], None]
    width: int = 1200
    height: int = 750
    scheme: Literal["light", "dark"] = "light"


PICTURES: Mapping[str, Picture] = {
    "sandbox-cards.png": Picture(cards),
    "sandbox-cards-dark.png": Picture(cards, scheme="dark"),
    "sandbox-phone.png": Picture(cards, width=390, height=844),
    "sandbox-why.png": Picture(why),
    "sandbox-what-if.png": Picture(what_if),
    "sandbox-history.png": Picture(history, width=720),
    "sandbox-gallery.png": Picture(gallery),
    "sandbox-explain.png": Picture(explain),
}


def size_of(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG in pixels."""
    head = path.read_bytes()[:24]
    assert head.startswith(_PNG), f"{path.name} is no PNG"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@pytest.mark.browser
@pytest.mark.parametrize("name", PICTURES)
def test_a_documented_view_can_be_reached(name: str, page: Page, tmp_path: Path) -> None:
    """What a picture shows is there today, in a window of the picture's size."""
    picture = PICTURES[name]
    page.emulate_media(color_scheme=picture.scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    picture.show(page)
    taken = Path(os.environ.get(FOLDER_VARIABLE, tmp_path)) / name
    page.screenshot(path=taken, animations="disabled", caret="hide")
    assert size_of(taken) == size_of(IMAGES / name) == (picture.width, picture.height), (
        f"run `make screenshots` and look at docs/images/{name}"
    )


def test_each_picture_is_taken_and_shown() -> None:
    """Every file of docs/images is a picture of the list above and stands on some page, which shows no others."""
    shown = {name for page in pages() for name in _SHOWN.findall(page.read_text("utf-8"))}
    assert shown == set(PICTURES) == {path.name for path in IMAGES.iterdir()}


def test_the_pictures_are_small() -> None:
    """A checkout does not grow by more than a megabyte and a half for them."""
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < MOST_BYTES
