"""What bounds the fetching for one call: a moment and a number of bytes; it waits for nothing itself."""

from __future__ import annotations

import threading
import time

MOST_BYTES = 10 * 1024 * 1024
"""Of one answer, decoded; answers are asked for uncompressed."""
MOST_BYTES_OF_A_CALL = 20 * 1024 * 1024
"""Of all answers and pages that are fetched for one hook call, so that many large ones cannot fill the memory."""


class Deadline:
    """One moment after which nothing is waited for, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        """Start now."""
        self._whole = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, never less than zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def share_left(self) -> float:
        """How much of it is left, from 1 to 0."""
        return self.left() / self._whole if self._whole > 0 else 0.0


class Allowance:
    """How many bytes may still be read; the threads of one call share it."""

    def __init__(self) -> None:
        """Start with all of them."""
        self._left = MOST_BYTES_OF_A_CALL
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Count bytes that were read; False when they are more than were left."""
        with self._lock:
            self._left -= size
            return self._left >= 0
