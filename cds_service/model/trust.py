"""What a reader needs to trust a definition: review, sources, what it proves; nothing here is about a patient."""

from __future__ import annotations

import re
from datetime import date

import msgspec

_ADDITION = re.compile(r",? \(|, ")


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What every file has: its id (the file's name) and a title for people."""

    id: str
    title: str


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """When a statement was written and when it must be read again; `checked_by` stays null until a clinician signs."""

    written_on: date
    next_review: date
    checked_by: str | None = None


class Source(Definition, frozen=True, kw_only=True):
    """A place that a statement can be traced to. `grade`: V read, L page found, K general knowledge, 2nd secondary.

    `short` is its name on a card, where the publisher's is too long.
    """

    publisher: str
    short: str | None = None
    url: str | None = None
    grade: str
    reference: str | None = None

    @property
    def name(self) -> str:
        """The name by which a card cites it: without one of its own, the publisher's up to a comma or bracket."""
        return self.short or _ADDITION.split(self.publisher, maxsplit=1)[0]


class Statement(Definition, frozen=True, kw_only=True):
    """One statement of the source document: its claim (the title), what the service does about it, what proves that.

    `proof` names what must exist: `definitions` that name it as theirs, `cases` that name it as proven.
    """

    required: str
    proof: tuple[str, ...]
    cites: tuple[str, ...]
    review: Review


class Attribute(Definition, frozen=True, kw_only=True):
    """One of the source attributes that evidence-based decision support discloses, and what holds here."""

    place: int
    text: str
    cites: tuple[str, ...]
    review: Review


SOURCE_DOCUMENT = "r1"
"""Id of the source that the service set out from; what rests on any other was added."""

IN_DOCUMENT, ADDED = "source-document", "added"
"""The two origins that every line of an answer is told apart by."""


def origin_of(*cites: str) -> str:
    """Return `source-document` for what rests on the source document, else `added`."""
    return IN_DOCUMENT if SOURCE_DOCUMENT in cites else ADDED
