"""Checks a hook call or its answer against the nouns of CDS Hooks 2.0.1; it looks into no clinical element."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from cds_service.errors import InvalidCardError, MalformedRequestError
from cds_service.model.hooks import CDSRequest, CDSResponse

_NOUNS: Mapping[str, Callable[[object], object]] = {
    "request": CDSRequest.from_dict,
    "response": CDSResponse.from_dict,
}


def faults_of(kind: str, body: bytes) -> list[str]:
    """Return what breaks the standard in a message, as sentences without a value of it; none when it is sound.

    Raises `MalformedRequestError` for a kind of message that is not known, and for a body that is no JSON.
    """
    noun = _NOUNS.get(kind)
    if noun is None:
        raise MalformedRequestError("A request or a response can be validated.", "kind")
    try:
        noun(msgspec.json.decode(body))
    except InvalidCardError as error:
        return [f"{error.text} ({', '.join(error.where)})"]
    except msgspec.ValidationError as error:
        _, _, path = str(error).rpartition(" - at ")  # what stands before can repeat a value
        return [
            f"The element is missing or has another type than the standard gives it ({path.strip('`') or '$'})"
        ]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedRequestError("The body is not JSON.", "$") from None
    return []
