"""JSON text that keeps a number's digits as printed (0.70 stays 0.70); never rounds through a float."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

# A private-use character stands in no case file, so a marked number is never mistaken for text.
_MARK = "\ue000"
_MARKED_NUMBER = re.compile(f'"{_MARK}([^"]*){_MARK}"')


def _mark(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}{_MARK}"
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def to_json(value: Any) -> str:
    """Return pretty JSON in the order of `value`, with LF line ends and a last line end."""
    text = json.dumps(value, default=_mark, ensure_ascii=False, indent=2)
    return _MARKED_NUMBER.sub(r"\1", text) + "\n"


def from_json(text: str | bytes) -> Any:
    """Return the value of `text` with every fractional number as Decimal."""
    return json.loads(text, parse_float=Decimal)
