"""Makes the files that the counters of one process stand in, with room on the disk for all of it; it counts nothing.

The library maps its files into memory. A page that the disk has no room for would then end the process with SIGBUS at
the first number that is written there, and with it every call that it works on.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

_SIZES = {
    "counter": 2 << 20,
    "histogram": 256 << 10,
    "gauge_livesum": 64 << 10,
    "gauge_livemax": 64 << 10,
}
"""Kind of figure, as the library names its files → bytes: several times what all labels of the content take."""

_logger = logging.getLogger("cds_service")


def has_room(folder: Path) -> bool:
    """Make the files of this process; false, and nothing left of them, where the disk has no room."""
    made: list[Path] = []
    try:
        for kind, size in _SIZES.items():
            path = folder / f"{kind}_{os.getpid()}.db"
            if not path.exists():
                made.append(path)
                path.write_bytes(bytes(size))  # written, not only made as long: a hole has no room
    except OSError:
        for path in made:
            path.unlink(missing_ok=True)
        _logger.warning("no room for the files of the metrics: this process counts for itself until it ends")
        return False
    return True
