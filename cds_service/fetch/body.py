"""Gathers the bytes of one answer so that a long one leaves nothing behind in memory; it reads none of them."""

from __future__ import annotations

from cds_service.fetch.limits import MOST_BYTES

PIECE = 64 * 1024


class Body:
    """A block that is replaced by a larger one when it is full.

    One that merely grew would stay among the small blocks of the C library, which seldom go back to the system.
    """

    def __init__(self) -> None:
        """Start with room for one piece."""
        self._block = bytearray(PIECE)
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Put a piece at the end."""
        end = self.size + len(piece)
        if end > len(self._block):
            doubled = 2 * len(self._block)
            larger = bytearray(max(end, doubled if doubled <= MOST_BYTES // 2 else MOST_BYTES + PIECE))
            larger[: self.size] = memoryview(self._block)[: self.size]
            self._block = larger
        self._block[self.size : end] = piece
        self.size = end

    def whole(self) -> bytes:
        """Return all that was put in."""
        return bytes(memoryview(self._block)[: self.size])
