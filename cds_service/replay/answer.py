"""One response of a service, taken apart for those who compare it; it compares nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.replay.card_text import Response
from cds_service.replay.reasons import Reasons


@dataclass(frozen=True)
class Answer:
    """One response, read once.

    `names` are the words by which a card could name a cause, `questionnaires` the orders that ask a patient questions.
    """

    response: Response
    explained: Mapping[str, Any]
    names: Mapping[str, Sequence[str]]
    questionnaires: Collection[str]
    reasons: Reasons

    def why(self, cause: str, *, held: bool) -> str:
        """Return `; because …` for the standing of a cause, or nothing where no reason is known."""
        reason = self.reasons(cause, held)
        return f"; because {reason}" if reason else ""

    @property
    def standings(self) -> dict[str, str]:
        """The standing of every ranked cause, best first."""
        return {ranked["cause"]: ranked["standing"] for ranked in self.explained.get("ranking", ())}

    @property
    def facts(self) -> Iterator[Mapping[str, Any]]:
        """Every fact that the explanation shows, for causes and red flags alike."""
        for ranked in self.explained.get("ranking", ()):
            for argument in [*ranked.get("for", ()), *ranked.get("against", ())]:
                yield from argument.get("facts", ())
        for flag in self.explained.get("red_flags", ()):
            yield from flag.get("facts", ())

    def with_status(self, status: str) -> list[str]:
        """Return the orders of the workup that have this status."""
        return [item["order"] for item in self.explained.get("workup", ()) if item["status"] == status]
