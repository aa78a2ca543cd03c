"""From the bytes of a feedback call to checked answers; it knows no card and repeats no value in an error.

What a real client leaves out or writes in another way is taken where its meaning is plain. One answer that cannot be
understood refuses the whole call, so that a client never has to guess which part was stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from cds_service.errors import MalformedRequestError, MissingElementError
from cds_service.store.feedback import KeptFeedback

MOST_ITEMS = 200
_MOST_SUGGESTIONS = 100
_LONGEST_ID = 200
_LONGEST_CODE = 300
_LONGEST_COMMENT = 4_000
_OUTCOMES = ("accepted", "overridden")
_URN = "urn:uuid:"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}):(\d{2})(?:[.,](\d{1,30}))?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)
_LEAP_SECOND = "60"
_LAST_SECOND = "59"
_MICROSECOND_DIGITS = 6
_YEARS = range(1970, 2200)


def read_feedback(body: bytes, *, keep_comments: bool) -> list[KeptFeedback]:
    """Return the answers of a feedback call, in their order.

    Raises `MalformedRequestError` or `MissingElementError`, which name the member and never its value.
    """
    message = _object(_parse(body), "$")
    found = message.get("feedback")
    if found is None:
        _missing("feedback")
    if not isinstance(found, list):
        _malformed("The element must be a list.", "feedback")
    if not found:
        _missing("feedback")
    if len(found) > MOST_ITEMS:
        _malformed(
            f"The element may hold {MOST_ITEMS} answers at most; send the others in a further call.",
            "feedback",
        )
    return [
        _item(_object(item, f"feedback[{place}]"), f"feedback[{place}]", keep_comments=keep_comments)
        for place, item in enumerate(found)
    ]


def _parse(body: bytes) -> Any:
    """Return the JSON, read strictly: a name that stands twice, NaN, and half a character are refused."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant)
    except RecursionError:
        raise MalformedRequestError("The JSON is nested too deeply.", "$") from None
    except ValueError:  # bad UTF-8 and bad JSON alike
        raise MalformedRequestError("The body is not a JSON object.", "$") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        _malformed("A member name stands twice.", "$")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _item(item: Mapping[str, Any], where: str, *, keep_comments: bool) -> KeptFeedback:
    outcome = _text(item, "outcome", where)
    if outcome not in _OUTCOMES:
        _malformed("The element must be accepted or overridden.", f"{where}.outcome")
    system, code, comment = _reason(item.get("overrideReason"), f"{where}.overrideReason")
    return KeptFeedback(
        card=_id(_text(item, "card", where), f"{where}.card"),
        outcome=outcome,
        outcome_at=_moment(_text(item, "outcomeTimestamp", where), f"{where}.outcomeTimestamp"),
        suggestions=_suggestions(item.get("acceptedSuggestions"), f"{where}.acceptedSuggestions"),
        reason_system=system,
        reason_code=code,
        has_comment=comment is not None,
        comment=comment if keep_comments else None,
    )


def _suggestions(value: Any, where: str) -> tuple[str, ...]:
    """Return the ids of accepted suggestions, each once. An acceptance without any is taken: some clients send none."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _MOST_SUGGESTIONS:
        _malformed(f"The element must be a list of at most {_MOST_SUGGESTIONS} suggestions.", where)
    ids = []
    for place, one in enumerate(value):
        at = f"{where}[{place}]"
        text = one if isinstance(one, str) else _text(_object(one, at), "id", at)
        ids.append(_id(text, at if isinstance(one, str) else f"{at}.id"))
    return tuple(sorted(set(ids)))


def _reason(value: Any, where: str) -> tuple[str | None, str | None, str | None]:
    """Return system, code and comment of a reason, which some clients send as the bare Coding."""
    if value is None:
        return None, None, None
    given = _object(value, where)
    inner = given.get("reason")
    coding, at = (given, where) if inner is None else (_object(inner, f"{where}.reason"), f"{where}.reason")
    code = _code(coding, "code", at)
    system = _code(coding, "system", at)
    if code is None and inner is not None:
        _missing(f"{at}.code")
    return system if code is not None else None, code, _comment(given, where)


def _comment(given: Mapping[str, Any], where: str) -> str | None:
    """Return the comment in a form that every database can keep."""
    value = given.get("userComment")
    if value is not None and not isinstance(value, str):
        _malformed("The element must be a string.", f"{where}.userComment")
    if value is None or not value.strip():
        return None
    return _whole(value, f"{where}.userComment").replace("\0", "\N{REPLACEMENT CHARACTER}")[:_LONGEST_COMMENT]


def _code(coding: Mapping[str, Any], name: str, where: str) -> str | None:
    value = coding.get(name)
    if value is None:
        return None
    return _short(_text(coding, name, where), _LONGEST_CODE, f"{where}.{name}")


def _id(text: str, where: str) -> str:
    """Return an id in the one form in which ids are compared: in lower case, without the prefix of a URN."""
    return _short(text.strip().lower().removeprefix(_URN), _LONGEST_ID, where)


def _short(text: str, longest: int, where: str) -> str:
    if not text or len(text) > longest or _CONTROL.search(text):
        _malformed(f"The element must have 1 to {longest} characters and no control characters.", where)
    return text


def _moment(text: str, where: str) -> datetime:
    """Return the moment of an RFC 3339 date-time; the specification wants UTC, so one without a zone is in UTC."""
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        _malformed("The element must be an RFC 3339 date-time.", where)
    day, minute, second, fraction, zone = found.groups()
    second = _LAST_SECOND if second == _LEAP_SECOND else second
    fraction = (fraction or "").ljust(_MICROSECOND_DIGITS, "0")[:_MICROSECOND_DIGITS]
    zone = "+00:00" if zone is None or zone in "Zz" else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{second}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        _malformed("The element must be an RFC 3339 date-time.", where)
    if moment.year not in _YEARS:
        _malformed("The element must be a date-time of our age.", where)
    return moment


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _malformed("The element must be an object.", where)
    return value


def _text(members: Mapping[str, Any], name: str, where: str) -> str:
    path = f"{where}.{name}"
    value = members.get(name)
    if value is None or value == "":
        _missing(path)
    if not isinstance(value, str):
        _malformed("The element must be a string.", path)
    if not value.strip():
        _missing(path)
    return _whole(value, path)


def _whole(text: str, where: str) -> str:
    """Refuse half of a surrogate pair: it is no character, and no database keeps it."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        _malformed("The element must be whole characters.", where)
    return text


def _missing(where: str) -> NoReturn:
    raise MissingElementError("Required element missing", where)


def _malformed(text: str, where: str) -> NoReturn:
    raise MalformedRequestError(text, where)
