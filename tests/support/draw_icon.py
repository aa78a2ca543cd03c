"""Draws the icon of the cards: a muscle's trace on a plain ground, 100 by 100 pixels without transparency.

Run `python -m tests.support.draw_icon` from the top of a checkout to write it again; it reads nothing.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.support.places import ROOT

ICON = ROOT / "cds_service" / "web" / "templates" / "icon-100.png"
SIZE = 100
_FINER = 4
"""Points per pixel and side: each pixel is the mean of so many squared."""

Color = tuple[int, int, int]
_PAPER: Color = (255, 255, 255)
_GROUND: Color = (15, 76, 92)
_BASE: Color = (74, 126, 139)
_TRACE: Color = (255, 255, 255)
_CORNER = 18.0
_WIDTH = 3.4
_LINE = ((12, 50), (27, 50), (34, 40), (41, 58), (49, 20), (58, 80), (66, 42), (72, 50), (88, 50))
"""The trace: quiet, a burst, quiet again."""


def _from_segment(x: float, y: float, start: tuple[int, int], end: tuple[int, int]) -> float:
    """Return the distance of a point from a stroke."""
    (x0, y0), (x1, y1) = start, end
    length = (x1 - x0) ** 2 + (y1 - y0) ** 2
    part = max(0.0, min(1.0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length))
    return math.hypot(x - x0 - part * (x1 - x0), y - y0 - part * (y1 - y0))


def _is_inside(x: float, y: float) -> bool:
    """Whether a point lies in the square with round corners."""
    inner = [max(_CORNER - place, place - (SIZE - _CORNER), 0.0) for place in (x, y)]
    return math.hypot(*inner) <= _CORNER


def _color(x: float, y: float) -> Color:
    if not _is_inside(x, y):
        return _PAPER
    if min(_from_segment(x, y, *stroke) for stroke in pairwise(_LINE)) <= _WIDTH:
        return _TRACE
    return _BASE if abs(y - 50) <= 0.6 else _GROUND


def _pixel(column: int, row: int) -> bytes:
    steps = [(place + 0.5) / _FINER for place in range(_FINER)]
    found = [_color(column + x, row + y) for y in steps for x in steps]
    return bytes(round(sum(part) / len(found)) for part in zip(*found, strict=True))


def pixels() -> Iterator[bytes]:
    """Yield the rows of the picture, three bytes a pixel."""
    for row in range(SIZE):
        yield b"".join(_pixel(column, row) for column in range(SIZE))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png() -> bytes:
    """Return the picture as PNG: 8 bits for each of red, green and blue, no transparency."""
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row for row in pixels())
    parts = [_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write(path: Path = ICON) -> int:
    """Write the picture and return its size in bytes."""
    return path.write_bytes(png())


if __name__ == "__main__":
    sys.stdout.write(f"{write()} bytes written\n")
