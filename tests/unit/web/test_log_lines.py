"""What a log line holds: constant words and allowed fields; nothing that a library or a fault brings along."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from cds_service.settings import LogFormat
from cds_service.web.log_lines import FIELDS, formatter

CANARY = "Zebedee Canary"


def line_of(name: str, message: str, *arguments: object, **extra: object) -> dict[str, Any]:
    """Return the JSON line of one record."""
    line: dict[str, Any] = json.loads(rendered(LogFormat.JSON, name, message, *arguments, **extra))
    return line


def rendered(log_format: LogFormat, name: str, message: str, *arguments: object, **extra: object) -> str:
    """Return the line of one record, which carries a fault with its trace."""
    fault = (ValueError, ValueError(CANARY), None)
    record = logging.LogRecord(name, logging.WARNING, __file__, 7, message, arguments, fault)
    vars(record).update(extra)
    return formatter(log_format).format(record)


def test_our_own_words_and_fields_are_kept() -> None:
    """Event, level, time and the fields that are allowed."""
    line = line_of("cds_service.calls", "call", status=200, ms=3.5, rules=["RF1"])
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "event": "call", "status": 200, "ms": 3.5, "rules": ["RF1"]}


@pytest.mark.parametrize("log_format", list(LogFormat))
@pytest.mark.parametrize(
    "name", ["cds_service.store", "sqlalchemy.pool", "_granian", "urllib3", "py.warnings"]
)
def test_nothing_else_is(log_format: LogFormat, name: str) -> None:
    """Arguments, unknown fields, faults and their traces are left out, whoever speaks."""
    line = rendered(log_format, name, "failed for %s", CANARY, patient=CANARY, url=CANARY, msg_id=CANARY)
    assert "Canary" not in line
    assert "Traceback" not in line
    assert len(line.splitlines()) == 1


def test_of_a_library_only_the_place_is_told() -> None:
    """Its message may hold anything, even before its arguments are put in."""
    line = line_of("urllib3.connectionpool", f"Retrying {CANARY}")
    assert line["event"] == "library message"
    assert line["logger"] == "urllib3"
    assert line["place"].endswith(":7")


def test_a_call_is_one_short_line_for_a_person() -> None:
    """Time, status, route, service, duration, cards and notes."""
    line = rendered(
        LogFormat.PLAIN,
        "cds_service.calls",
        "call",
        status=200,
        route="hook",
        service="muscle-spasm-problem",
        ms=4.25,
        cards=1,
        notes=["unit-not-understood"],
        request_id="r",
    )
    assert line[8:].split() == [
        *("200", "hook", "muscle-spasm-problem", "4.2", "ms", "1", "card"),
        *("notes:", "unit-not-understood"),
    ]


def test_no_field_can_hold_a_text() -> None:
    """None of the allowed fields is one for messages, addresses or names."""
    assert not {"message", "url", "path", "query", "body", "patient", "text", "detail"} & set(FIELDS)
