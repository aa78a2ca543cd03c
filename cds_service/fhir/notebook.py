"""Keeps the notes on one request, each thing once and with its place; it reads no resource and judges no fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from cds_service.fhir.dates import read_when
from cds_service.fhir.shapes import CodeableConcept, Resource
from cds_service.model.facts import ReadingNote, When

_MOST_NOTES = 100
"""Notes of one code; a message that is wrong throughout is not answered with a note for each of its elements."""
_LONGEST_TEXT = 20_000
_SEND_DATE = "Send a FHIR date; what rests on this one is not placed in time."


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A resource and where it stood: in a prefetch value itself (`place` None) or in an entry of its Bundle."""

    resource: Resource
    where: str
    place: int | None = None
    inside: str = ""
    holder: str | None = None

    @property
    def path(self) -> str:
        """Where the resource stood, for a note, e.g. `prefetch.labs.entry[3].resource`."""
        where = self.where if self.place is None else f"{self.where}.entry[{self.place}].resource"
        return where + self.inside

    @property
    def reference(self) -> str | None:
        """The reference by which a reader of the card finds it: a contained resource is found in what holds it."""
        if self.inside:
            return self.holder
        return f"{self.resource.resource_type}/{self.resource.id}" if self.resource.id else None


class Notebook:
    """The notes on one request."""

    def __init__(self, notes: Iterable[ReadingNote]) -> None:
        """Begin with what was noted while decoding."""
        self.notes: list[ReadingNote] = list(notes)
        self._noted: Counter[str] = Counter()
        self._kept = {(note.code, note.path) for note in self.notes}

    def note(self, severity: str, code: str, path: str, remedy: str) -> None:
        """Keep one note, the same one once; after many of one code a last one says that there are more."""
        if (code, path) in self._kept:
            return
        self._noted[code] += 1
        if self._noted[code] > _MOST_NOTES + 1:
            return
        if self._noted[code] > _MOST_NOTES:
            path, remedy = "(more)", "There are more of these than are listed."
        self._kept.add((code, path))
        self.notes.append(ReadingNote(severity=severity, code=code, path=path, remedy=remedy))

    def bounded(self, text: str, path: str) -> str:
        """Return as much of a text as is read; the rest is noted, so that no text can take all the time."""
        if len(text) <= _LONGEST_TEXT:
            return text
        self.note("warning", "text-too-long", path, f"Only the first {_LONGEST_TEXT} characters were read.")
        return text[:_LONGEST_TEXT]

    def when(self, placed: Placed, member: str, text: str | None) -> When | None:
        """Return the moment that a member names; what is there and is no date of FHIR is noted."""
        if not text:
            return None
        when = read_when(text)
        if when is None:
            self.note("warning", "date-not-understood", f"{placed.path}.{member}", _SEND_DATE)
        return when

    def is_named(self, placed: Placed, member: str, concept: CodeableConcept | None) -> bool:
        """Whether a concept says anything at all; one that does not is noted, once with what made it unreadable."""
        if concept is not None and _says_all(concept):  # nearly always, and cheap
            return True
        path = f"{placed.path}.{member}"
        if concept is not None:
            for place, coding in enumerate(concept.coding or ()):
                if not (coding.code or coding.display):
                    self._note_nameless(f"{path}.coding[{place}]")
            if _says_something(concept):
                return True
        self._note_nameless(path)
        return False

    def _note_nameless(self, path: str) -> None:
        """Note what says nothing, unless what made it unreadable is noted already."""
        if not any(note.path.startswith(path) for note in self.notes):
            self.note("warning", "code-missing", path, "Send the code or the words of what this is.")

    def status_not_understood(self, placed: Placed, member: str, remedy: str) -> None:
        """Note a status that is none of the words that FHIR has for it."""
        self.note("information", "status-not-understood", f"{placed.path}.{member}", remedy)


def _says_all(concept: CodeableConcept) -> bool:
    """Whether every coding says something, and there is one or a text."""
    codings = concept.coding
    if not codings:
        return bool(concept.text)
    for coding in codings:  # noqa: SIM110 - a generator would cost as much as the rest of reading a result
        if not (coding.code or coding.display):
            return False
    return True


def _says_something(concept: CodeableConcept) -> bool:
    if concept.text:
        return True
    inner = concept.concept
    if inner is not None and _says_something(inner):  # R5 wraps some codes once more
        return True
    return any(coding.code or coding.display for coding in concept.coding or ())


def observed_on(placed: Placed, notebook: Notebook) -> When | None:
    """Return when something was observed; a date that is none is noted."""
    resource = placed.resource
    period = resource.effective_period
    return (
        notebook.when(placed, "effectiveDateTime", resource.effective_date_time)
        or notebook.when(placed, "effectiveInstant", resource.effective_instant)
        or notebook.when(placed, "effectivePeriod", (period.end or period.start) if period else None)
        or notebook.when(placed, "issued", resource.issued)
    )
