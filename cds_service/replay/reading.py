"""From a task to hook requests, one per patient, each with its expectation; it decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cds_service.errors import AnswerError, CDSError
from cds_service.replay.bundles import hook_request, patients_in, resources_of
from cds_service.replay.expectation_files import Expectation, read_expectation
from cds_service.replay.files import expectation_of, read_file
from cds_service.replay.moments import moment_named
from cds_service.replay.plan import Plan, Task

JSON = msgspec.json.Decoder(float_hook=Decimal)
"""Keeps the digits of a result as the laboratory printed them: 0.70 stays 0.70."""
REQUEST = msgspec.json.Encoder(decimal_format="number")
_RESOURCE = re.compile(rb'"resourceType"\s*:\s*"(?!Bundle")')


class _Top(msgspec.Struct):
    """As much of a message as tells whether it is a hook request."""

    hook: Any = msgspec.UNSET


_TOP = msgspec.json.Decoder(_Top)


class Item(NamedTuple):
    """One patient: the `body` of the request, or the `trouble` that kept it from being one.

    `is_built` tells a request that was made from a Bundle, `moment` when it is decided unless the request says so.
    """

    name: str
    body: bytes | None
    trouble: str | None = None
    is_built: bool = False
    moment: datetime | None = None
    expectation: Expectation | None = None
    expectation_path: Path | None = None

    @property
    def resources(self) -> int:
        """How many resources the request holds, contained ones included and Bundles not."""
        return len(_RESOURCE.findall(self.body or b""))

    @property
    def hook(self) -> Any:
        """The hook of the request, whatever its type; UNSET where there is none."""
        try:
            return _TOP.decode(self.body or b"").hook
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return msgspec.UNSET


def items_of(task: Task, plan: Plan, templates: Mapping[str, str]) -> list[Item]:
    """Return what a task holds: one item per patient, or one with the trouble."""
    if task.trouble is not None:
        return [Item(task.name, None, task.trouble)]
    try:
        body = task.body if task.body is not None or task.path is None else read_file(task.path)
        where = None if task.path is None else expectation_of(task.path)
        expectation = None if where is None else read_expectation(where)
        moment = plan.pinned or moment_named(None if expectation is None else expectation.as_of)
    except OSError as error:
        return [Item(task.name, None, f"The file cannot be read: {error.strerror}.")]
    except CDSError as error:
        return [Item(task.name, None, error.text)]
    whole = Item(task.name, body, moment=moment, expectation=expectation, expectation_path=where)
    if whole.hook is not msgspec.UNSET:
        return [whole]
    items = [*_from_resources(whole, task, plan, templates)]
    if len(items) > 1 and expectation is not None:
        return [Item(task.name, None, "An expectation is for one patient, and the Bundle has several.")]
    return items


def _from_resources(whole: Item, task: Task, plan: Plan, templates: Mapping[str, str]) -> Iterator[Item]:
    what = "line" if task.is_line else "file"
    try:
        value = JSON.decode(whole.body or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield whole._replace(body=None, trouble=f"The {what} is not JSON that can be read.")
        return
    record = plan.record or (None if whole.expectation is None else whole.expectation.record)
    resources = resources_of(value) if isinstance(value, dict) else []
    patients = patients_in(resources)
    trouble = _trouble(value, resources, patients, record, is_line=task.is_line)
    if trouble is not None or record is None:
        yield whole._replace(body=None, trouble=trouble)
        return
    moment = whole.moment.isoformat() if whole.moment else None
    for patient in patients:
        name = f"{whole.name} {patient}" if len(patients) > 1 else whole.name
        try:
            request = hook_request(resources, patient, templates, record, moment)
        except AnswerError as error:
            yield whole._replace(body=None, trouble=error.text)
            continue
        yield whole._replace(name=name, body=REQUEST.encode(request), is_built=True)


def _trouble(
    value: Any, resources: list[dict[str, Any]], patients: list[str], record: str | None, *, is_line: bool
) -> str | None:
    """Return why these resources cannot be replayed, or None."""
    if not resources:
        what = "line" if is_line else "file"
        return f"The {what} is neither a hook request nor a FHIR resource."
    if is_line and value.get("resourceType") != "Bundle":
        return (
            "The line is a single resource. Put each patient into one Bundle a line, or sort the lines by patient "
            "and replay them with --by-patient."
        )
    if record is None:
        return "A plain Bundle needs --record with the words of the problem that is newly recorded."
    return None if patients else "No resource names a patient."
