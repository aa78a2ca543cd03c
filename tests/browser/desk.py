"""What a person does at the sandbox page, by the names that a person sees; it looks into no module of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Locator, Page, expect

EXPLANATION = "org.spasm-cds.explanation"


class Desk:
    """The sandbox in one browser page."""

    def __init__(self, page: Page) -> None:
        """Keep the page; nothing is opened yet."""
        self.page = page

    def visit(self) -> None:
        """Open the page and wait until it can be used."""
        self.page.goto("/sandbox")
        self.page.wait_for_selector("html[data-ready]")

    def open_story(self, name: str) -> None:
        """Choose a sample patient and wait for the chart, which may take the place of another one."""
        description = self.page.locator(f'#story option[value="{name}"]').get_attribute("data-description")
        with self.page.expect_response(f"**/sandbox/stories/{name}"):
            self.page.get_by_label("Sample patient").select_option(name)
        expect(self.page.locator("#story-line")).to_have_text(description or "")
        self.chart.wait_for()

    def upload(self, name: str, content: Any) -> None:
        """Open a file, given as JSON or as bytes."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        payload = {"name": name, "mimeType": "application/json", "buffer": body}
        self.page.locator("#upload").set_input_files(payload)  # type: ignore[arg-type]  # a dict of this shape is what it takes

    def record(self, words: str | None = None) -> dict[str, Any]:
        """Record what stands in the field, or these words, and return the answer of the service."""
        if words is not None:
            self.page.get_by_label("Problem", exact=True).fill(words)
        with self.page.expect_response("**/cds-services/muscle-spasm-problem") as caught:
            self.page.get_by_role("button", name="Record", exact=True).click()
        answer: dict[str, Any] = caught.value.json()
        if answer.get("cards"):
            expect(self.cards.first.get_by_role("heading", level=3)).to_have_text(
                answer["cards"][0]["summary"]
            )
        return answer

    def view(self, name: str) -> Locator:
        """Show one of the views of the advice and return its panel."""
        self.page.get_by_role("tab", name=name).click()
        return self.page.get_by_role("tabpanel", name=name)

    def change(self, label: str, value: str) -> Mapping[str, Any]:
        """Write another value in the chart and return the request that the page then sends."""
        with self.page.expect_request("**/cds-services/*") as caught:
            self.page.get_by_label(label, exact=True).fill(value)
            self.page.keyboard.press("Tab")
        sent: Mapping[str, Any] = json.loads(caught.value.post_data or "{}")
        return sent

    @property
    def chart(self) -> Locator:
        """The chart."""
        return self.page.get_by_role("region", name="Chart", exact=True)

    @property
    def cards(self) -> Locator:
        """Every card."""
        return self.page.locator("#panel-cards article")

    @property
    def moved(self) -> Locator:
        """What is told of the difference to the answer before."""
        return self.page.locator("#difference")


def explanation(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the explanation that travels with the first card."""
    found: dict[str, Any] = answer["cards"][0]["extension"][EXPLANATION]
    return found
