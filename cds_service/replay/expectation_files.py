"""Reads an expectation from YAML, with the line of every fault, and words a first one; it judges no answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cds_service.errors import CDSError
from cds_service.knowledge.schemas import Schemas
from cds_service.knowledge.yaml_reader import Document
from cds_service.model.faults import Fault
from cds_service.replay.files import printable, read_file
from cds_service.replay.moments import moment_named

_CHECK = "expectation"
_UNREVIEWED = "# Nobody has reviewed it: read every line, then delete these two."
_MOST_BYTES = 1024 * 1024
_PATTERNS = ("text", "not_text")
_STATUSES = {"orders": "suggested", "already_done": "already-done", "already_ordered": "already-ordered"}
_SCHEMAS = Path(__file__).parent / "schemas"


class Expectation(msgspec.Struct, frozen=True):
    """What one file expects: the moment of deciding, the problem to record for a Bundle, and the wanted answer."""

    expect: dict[str, Any]
    as_of: str | None = None
    record: str | None = None


@cache
def _schemas() -> Schemas:
    return Schemas(_SCHEMAS)


def read_expectation(path: Path) -> Expectation | None:
    """Return the expectation of a file, or None where there is no such file.

    Raises `CDSError` with `file:line`, what is wrong and what to do, for every fault of the file.
    """
    try:
        text = read_file(path, _MOST_BYTES).decode()
    except (FileNotFoundError, CDSError):
        if not path.exists():
            return None
        raise
    except UnicodeDecodeError:
        raise CDSError(f"{printable(path)}:1: The file is not UTF-8. Save it as UTF-8.") from None
    document = Document(printable(path), text)
    faults = document.faults or [*_schemas().faults("expectation", document)] or [*_meaning(document)]
    if faults:
        raise CDSError("; ".join(str(fault) for fault in faults))
    return msgspec.convert(document.value, Expectation)


def _meaning(document: Document) -> Iterator[Fault]:
    """Yield what no schema can see: a moment that is none, a pattern that is none, a first group without groups."""
    value: Mapping[str, Any] = document.value
    try:
        moment_named(value.get("as_of"))
    except CDSError:
        text, remedy = (
            "This is no date or date-time of our age.",
            "Write it as 2026-06-15 or 2026-06-15T10:00:00Z.",
        )
        yield document.fault(["as_of"], _CHECK, text, remedy)
    expect: Mapping[str, Any] = value["expect"]
    for key in _PATTERNS:
        for place, pattern in enumerate(expect.get(key, ())):
            try:
                re.compile(pattern)
            except re.error as error:
                text = f"The regular expression has a fault: {error.msg}."
                yield document.fault(
                    ["expect", key, place], _CHECK, text, "Correct it, or escape its signs with \\."
                )
    if expect.get("rank_exact_first") and not expect.get("rank"):
        text = "There is no group that could stand first."
        yield document.fault(["expect", "rank_exact_first"], _CHECK, text, "Name the groups in rank.")


def first_expectation(
    explained: Mapping[str, Any], level: str, cards: int, as_of: str, record: str | None
) -> str:
    """Return the YAML of an expectation that this very answer holds, for a person to review."""
    ranking = explained.get("ranking", [])
    expect: dict[str, Any] = {"cards": cards}
    if ranking:
        expect["top"] = ranking[0]["cause"]
        expect["standings"] = {entry["cause"]: entry["standing"] for entry in ranking}
    for key, status in _STATUSES.items():
        orders = [item["order"] for item in explained.get("workup", ()) if item["status"] == status]
        if orders:
            expect[key] = orders
    expect["level"] = "no card" if level == "none" else level
    if explained:
        expect["red_flags"] = [flag["id"] for flag in explained["red_flags"]]
        notes = [*dict.fromkeys(note["code"] for note in explained["notes"])]
        expect |= {"notes": notes} if notes else {}
    content = {"as_of": as_of, **({"record": record} if record else {}), "expect": expect}
    version = explained.get("knowledge_version", "that found nothing to explain")
    head = f"# Recorded from the answer of content {version}.\n{_UNREVIEWED}\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
