"""Sources are named shortly, once each, and what was added to the source document says so."""

from __future__ import annotations

import pytest

from cds_service.cards.citations import Citations
from cds_service.model.trust import Source, origin_of
from tests.unit.cards.decided import TEMPLATES
from tests.unit.engine.neutral import define

SOURCES = {
    "r1": define(Source, "r1", publisher="The seed", grade="V"),
    "r2": define(Source, "r2", publisher="A very long name of a publisher", short="VLN", grade="V"),
    "r3": define(Source, "r3", publisher="Third", grade="L"),
    "r4": define(Source, "r4", publisher="Fourth", grade="L"),
    "r5": define(Source, "r5", publisher="Fifth", grade="K"),
    "r6": define(Source, "r6", publisher="Third", grade="K"),
}
WORDS = {
    name: words
    for wanted in ("differential", "red-flag")
    for one in TEMPLATES
    if one.id == wanted
    for name, words in one.text.items()
}
CITATIONS = Citations(SOURCES, WORDS)


@pytest.mark.parametrize(
    ("cites", "line"),
    [
        (("r1",), "Source: The seed."),
        (("r2", "r3"), "Source: VLN and Third; not from the source document."),
        (("r1", "r2"), "Source: The seed and VLN."),
        (("r3", "r6"), "Source: Third; not from the source document."),
        (("r2", "r3", "r4"), "Source: VLN, Third and Fourth; not from the source document."),
        (("r2", "r3", "r4", "r5"), "Source: VLN, Third and 2 more; not from the source document."),
    ],
)
def test_a_card_names_what_it_rests_on(cites: tuple[str, ...], line: str) -> None:
    """Short names, each once, at most three, and whether the source document says it."""
    assert CITATIONS.line(cites) == line


def test_remarks_of_one_source_share_its_name() -> None:
    """Each source is named once, behind all of its words, in the order in which the sources come."""
    remarks = [("One.", "r2"), ("Two.", "r1"), ("Three.", "r2")]
    assert CITATIONS.grouped(remarks) == "One. Three (VLN, added). Two (The seed)."


def test_the_origin_is_the_source_document_or_added() -> None:
    """One citation of the source document is enough; none means that we added it."""
    assert origin_of("r2", "r1") == "source-document"
    assert origin_of("r2") == "added"
    assert origin_of() == "added"


def test_a_long_publisher_is_cut_where_an_addition_begins() -> None:
    """Without a short name, what follows a comma or stands in brackets is left out."""
    for publisher, name in (("A (B)", "A"), ("A, second edition", "A"), ("A and B", "A and B")):
        assert define(Source, "r9", publisher=publisher, grade="V").name == name
