"""What a log line may hold: the fields that are named here and constant words; never a value, a text or a trace.

Everything that is logged in the process, by libraries too, leaves through one renderer. Of our own records the words
and the allowed fields are kept, of a library's only where in its code it spoke.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from cds_service.settings import LogFormat

FIELDS = (
    "request_id",
    "client",
    "tenant",
    "route",
    "service",
    "hook",
    "status",
    "ms",
    "cards",
    "withheld",
    "rules",
    "notes",
    "reason",
    "fault",
    "place",
    "rule",
    "count",
)
"""What may stand in a line beside event, level, time and logger; anything else is left out."""

_OURS = "cds_service"
_OF_A_LIBRARY = "library message"
_CALL = "call"
_QUIET = ("urllib3", "alembic", "sqlalchemy", "werkzeug", "asyncio")

logger = logging.getLogger("cds_service.process")


def install(log_format: LogFormat, stream: TextIO | None = None) -> None:
    """Send every record of this process to `stream` (standard error), one line each."""
    sink = logging.StreamHandler(stream or sys.stderr)
    sink.setFormatter(formatter(log_format))
    root = logging.getLogger()
    root.handlers[:] = [sink]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = _tell_thread


def formatter(log_format: LogFormat) -> logging.Formatter:
    """Return what makes a line of a record."""
    render = _as_json if log_format is LogFormat.JSON else _as_text
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_without_arguments, structlog.stdlib.ExtraAdder(FIELDS)],
        processors=[_only_allowed, render],
        keep_exc_info=False,
        keep_stack_info=False,
    )


def _without_arguments(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep the words of our own records as they stand in the code, and none of a library's."""
    record: logging.LogRecord = event["_record"]
    is_ours = record.name.partition(".")[0] == _OURS
    moment = datetime.fromtimestamp(record.created, UTC)
    line: EventDict = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": str(record.msg) if is_ours else _OF_A_LIBRARY,
        "_record": record,
    }
    if not is_ours:
        line["logger"] = record.name.partition(".")[0]
        line["place"] = f"{record.module}:{record.lineno}"
    return line


_ALLOWED = frozenset({"time", "level", "event", "logger", *FIELDS})


def _only_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name in _ALLOWED and value is not None}


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _as_text(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> str:
    """Return a line for a person: the time, and of a call its status, service, duration and cards."""
    time = str(event.pop("time"))[11:19]
    level, words = event.pop("level"), event.pop("event")
    if words == _CALL:
        return f"{time}  {_told(event)}"
    return (
        f"{time}  {level}: {words}  {' '.join(f'{name}={value}' for name, value in event.items())}".rstrip()
    )


def _told(call: Mapping[str, Any]) -> str:
    what = call.get("service") or call.get("route", "")
    ms = f"{call['ms']:.1f} ms"
    line = f"{call['status']}  {call.get('route', ''):<9}  {what:<26}  {ms:>9}"
    if "cards" in call:
        line += f"  {call['cards']} {'card' if call['cards'] == 1 else 'cards'}"
    if call.get("notes"):
        line += f"  notes: {', '.join(call['notes'])}"
    return line


def _tell_thread(hint: threading.ExceptHookArgs) -> None:
    """Name the kind of a fault that ended a thread, not its message."""
    logger.error("a thread ended with a fault", extra={"fault": hint.exc_type.__name__})
