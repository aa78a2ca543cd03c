"""Whether this process should be sent calls: the named checks behind readiness, and whether it is being drained.

`serve` tells its workers of the end by a file in a folder that it made for them. Other servers are never part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from cds_service.errors import CDSError
from cds_service.store.probe import write_and_take_back
from cds_service.store.schema import HEAD, revision_of
from cds_service.store.store import Store

Check = Callable[[], bool]
"""Whether one thing that answering needs is there at this moment."""

_DRAINING = "draining"
_PROBE_WITHIN_S = 1.0


def begin_draining(folder: Path) -> None:
    """Tell every worker whose folder this is that the service is about to end."""
    (folder / _DRAINING).touch()


class Lifecycle:
    """The checks of one process. Others add theirs by name before the first request."""

    def __init__(self, folder: Path | None, checks: Mapping[str, Check]) -> None:
        """Watch `folder` for the sign of the end; without a folder there is none."""
        self._sign = folder / _DRAINING if folder is not None else None
        self._checks = dict(checks)

    def add(self, name: str, check: Check) -> None:
        """Make readiness depend on one more check."""
        self._checks[name] = check

    @property
    def is_draining(self) -> bool:
        """Whether the service is about to end; it still answers."""
        return self._sign is not None and self._sign.exists()

    def failing(self) -> tuple[str, ...]:
        """Return the names of what keeps this process from being ready, none when it is."""
        if self.is_draining:
            return (_DRAINING,)
        return tuple(name for name, check in self._checks.items() if not _holds(check))


def store_checks(store: Store) -> dict[str, Check]:
    """Return the checks of the store: its tables are those of this release, and it can be written.

    A store that is only busy, and commits what came before the probe, takes writes: under load all processes would
    else be taken out of service together.
    """

    def has_schema() -> bool:
        return revision_of(store.database) == HEAD

    def takes_writes() -> bool:
        commits = store.writer.commits
        try:
            store.writer.submit(write_and_take_back).result(_PROBE_WITHIN_S)
        except FutureTimeoutError:
            return store.writer.commits > commits
        return True

    return {"store-schema": has_schema, "store-writes": takes_writes}


def _holds(check: Check) -> bool:
    """Whether a check holds; one that cannot be made does not."""
    try:
        return check()
    except CDSError:
        return False
