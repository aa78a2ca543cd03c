"""Finds which cards of an answer are not repeated: those seen or answered before on the same grounds; never in doubt.

Where the store does not tell in time everything is shown, and it is not asked again for a while, so that a store that
is away neither withholds advice nor delays the calls that follow.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import datetime, timedelta

from cds_service.cards.withheld import Withheld
from cds_service.errors import StoreUnavailableError
from cds_service.model.decision import CardBasis, Repeating
from cds_service.model.definitions import OverrideReasonDefinition
from cds_service.store.repeats import Earlier, earlier_of
from cds_service.store.store import Store

_WITHIN_S = 0.1
_RESTS_S = 5.0
_THREADS = 4

_logger = logging.getLogger("cds_service")


class Quiet:
    """Knows what was shown before, from the store alone."""

    def __init__(
        self, store: Store, reasons: Mapping[str, OverrideReasonDefinition], quiet_days: int
    ) -> None:
        """Advice that was seen is quiet for `quiet_days`, answered advice until its grounds change.

        Only the reasons of the content that say so quiet an advice.
        """
        self._store = store
        self._reasons = [reason for reason in reasons.values() if reason.quiets]
        self._quiet_for = timedelta(days=quiet_days)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="quiet")
        self._rests_until = 0.0
        if not store.database.is_sqlite:
            self._pool.submit(self._connect)

    def withheld(
        self, patient: str, shown: Sequence[tuple[str, CardBasis]], as_of: datetime
    ) -> dict[int, Withheld]:
        """Return which of these cards (advice digest and basis) are not shown again, by their places."""
        asked = {advice for advice, basis in shown if basis.repeating is not Repeating.ALWAYS}
        earlier = self._earlier(patient, asked, as_of) if asked else {}
        found = (
            (place, self._judge(basis, earlier.get(advice), as_of))
            for place, (advice, basis) in enumerate(shown)
        )
        return {place: one for place, one in found if one is not None}

    def _judge(self, basis: CardBasis, earlier: Earlier | None, as_of: datetime) -> Withheld | None:
        if earlier is None or basis.repeating is Repeating.ALWAYS:
            return None
        answered = self._answered(earlier)
        is_recent = as_of - earlier.shown_at < self._quiet_for
        if answered is None and not (basis.repeating is Repeating.UNTIL_SEEN and is_recent):
            return None
        return Withheld(basis.template, basis.rules, earlier.shown_at.date(), answered)

    def _answered(self, earlier: Earlier) -> OverrideReasonDefinition | None:
        """Return the quieting reason that was given; a client that left out the system means ours."""
        if earlier.reason is None:
            return None
        system, code = earlier.reason
        return next(
            (one for one in self._reasons if one.code == code and system in {None, one.system}),
            None,
        )

    def _earlier(self, patient: str, advices: set[str], as_of: datetime) -> dict[str, Earlier]:
        if time.monotonic() < self._rests_until:
            return {}
        try:
            if self._store.database.is_sqlite:  # a file of this machine, whose readers wait for nobody
                return self._read(patient, advices, as_of)
            return self._pool.submit(self._read, patient, advices, as_of).result(_WITHIN_S)
        except (StoreUnavailableError, FutureTimeoutError) as error:
            self._rests_until = time.monotonic() + _RESTS_S
            told = {"fault": type(error).__name__}
            _logger.warning("the store did not tell what was shown before: all is shown", extra=told)
            return {}

    def _connect(self) -> None:
        """Open the first connection before a call needs it; whether that went well shows when one does."""
        with self._store.database.reading():
            return

    def _read(self, patient: str, advices: set[str], as_of: datetime) -> dict[str, Earlier]:
        with self._store.database.reading() as connection:
            return earlier_of(connection, patient, sorted(advices), as_of)
