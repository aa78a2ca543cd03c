"""How much of the explanation travels with the cards; what it says is written elsewhere."""

from __future__ import annotations

from enum import StrEnum


class ExplanationExtent(StrEnum):
    """`full`: the whole argument; `brief`: the outcome without arguments and facts; `none`: no extension at all."""

    FULL = "full"
    BRIEF = "brief"
    NONE = "none"
