"""What is to be said of orders that are about to be placed; nothing is decided here."""

from __future__ import annotations

import msgspec

from cds_service.model.decision import Argument, WorkupItem
from cds_service.model.definitions import Cause
from cds_service.model.facts import DraftOrder
from cds_service.model.treatments import DrugWarning


class AnsweredDraft(msgspec.Struct, frozen=True, gc=False):
    """A draft for something that is already resulted or ordered; `item` holds what answers it."""

    draft: DraftOrder
    item: WorkupItem


class Suspicion(msgspec.Struct, frozen=True, gc=False):
    """A draft medicine that could add to the symptom through a cause, with the arguments that it would give."""

    draft: DraftOrder
    cause: Cause
    arguments: tuple[Argument, ...]


class OrderAdvice(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Everything to be said of the drafts of one call. `checks` are cautions that a draft brings about.

    `unchecked` are the kinds of facts that a draft medicine has to be checked against and that were not received.
    """

    answered: tuple[AnsweredDraft, ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    checks: tuple[DrugWarning, ...] = ()
    unchecked: tuple[str, ...] = ()
