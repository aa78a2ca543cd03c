"""What was put in comes out, however it was cut; the block grows by more than it must, but never without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cds_service.fetch.body import PIECE, Body


@given(st.lists(st.integers(0, 2 * PIECE), max_size=12))
def test_pieces_come_out_as_one(sizes: list[int]) -> None:
    """In order, and none twice."""
    body = Body()
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    for piece in pieces:
        body.add(piece)
    assert body.whole() == b"".join(pieces)
    assert body.size == sum(sizes)
