"""Notes on the answer itself: a rule that failed, a level that is sent lower; they change no finding."""

from __future__ import annotations

import logging
from collections.abc import Collection

import msgspec

from cds_service.engine.findings import FindingBook
from cds_service.model.facts import PatientFacts, ReadingNote
from cds_service.model.hooks import Indicator

_logger = logging.getLogger("cds_service")


def with_failures(facts: PatientFacts, book: FindingBook) -> PatientFacts:
    """Return the facts with a note for every rule that failed: the card tells it, the log names the kind of fault."""
    if not book.failed:
        return facts
    for rule, kind in book.failed.items():
        _logger.error("a rule failed", extra={"rule": rule, "fault": kind})
    notes = (
        ReadingNote(severity="error", code="rule-failed", path=f"rules/{rule}", remedy="Report the fault.")
        for rule in book.failed
    )
    return msgspec.structs.replace(facts, notes=(*facts.notes, *notes))


def with_lowered(facts: PatientFacts, levels: Collection[Indicator]) -> PatientFacts:
    """Return the facts with a note when a card is sent with a lower indicator than its level."""
    if Indicator.CRITICAL not in levels:
        return facts
    note = ReadingNote(
        severity="information",
        code="critical-shown-as-warning",
        path="cards.indicator",
        remedy="This site has set CDS_TIME_CRITICAL_AS_WARNING: read the card as critical.",
    )
    return msgspec.structs.replace(facts, notes=(*facts.notes, note))
