"""Nothing that the service says or shows claims that a clinician has signed the content; judges no content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.support.case_files import read_yaml
from tests.support.house_rules import SIGN_OFF
from tests.support.places import CARDS, ROOT

NEGATED = re.compile(r"\b(no|not|nobody|never|none)\b|awaiting", re.IGNORECASE)
FILES = sorted(CARDS.glob("*/*.yaml"))


def claims(text: str) -> list[str]:
    """Return each sentence that claims a sign-off and does not deny it."""
    sentences = re.split(r"(?<=[.!?])\s+|\n", text)
    return [one for one in sentences if re.search(SIGN_OFF, one, re.IGNORECASE) and not NEGATED.search(one)]


def sentences_in(value: Any) -> Iterator[str]:
    """Yield every text of a definition."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        for part in value:
            yield from sentences_in(part)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("kind", sorted({path.parent.name for path in FILES}))
def test_no_definition_claims_a_sign_off(kind: str) -> None:
    """No text says so, and `checked_by` is null: who signs a definition changes this test with it."""
    for path in FILES:
        if path.parent.name == kind:
            content = read_yaml(path)
            assert [one for text in sentences_in(content) for one in claims(text)] == [], path.name
            assert content.get("review", {}).get("checked_by") is None, path.name


def test_no_page_claims_a_sign_off() -> None:
    """Neither the page that explains the method nor the generated documents say that the content is signed."""
    client = create_app(Settings()).test_client()
    pages = {
        "/about": client.get("/about").get_data(as_text=True),
        **{path.name: path.read_text("utf-8") for path in documents()},
    }
    assert {name: claims(text) for name, text in pages.items() if claims(text)} == {}


def documents() -> list[Path]:
    """Return the documents of the project that speak about its content."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(CARDS.glob("*.md"))]


@pytest.mark.parametrize(
    "words",
    ["This was reviewed by a clinician.", "Clinically validated content.", "The rules are signed off."],
)
def test_a_planted_claim_is_found(words: str) -> None:
    """A claim is found in the middle of a text, and a denial is none."""
    assert claims(f"Before. {words} After.") == [words]
    assert claims("No part is signed off by a clinician.") == []
