"""Writes JUnit XML, one test case per patient, as the results come; it holds none of them."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import IO, Self
from xml.sax.saxutils import escape, quoteattr

from cds_service.errors import CDSError
from cds_service.replay.plan import Result

_SUITE = "cds-service replay"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""


class JUnitFile:
    """A report in the making: cases are kept in a nameless file until their number is known."""

    def __init__(self, path: Path) -> None:
        """Open the place where the cases are kept. Raises `CDSError` where `path` cannot be written."""
        self._path = path
        self._cases: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by `__exit__`
        self._tests = self._failures = self._errors = 0
        if not path.parent.is_dir():
            raise CDSError(f"The folder of {path.name} does not exist: make it first.")

    def __enter__(self) -> Self:
        """Begin the report."""
        return self

    def add(self, result: Result) -> None:
        """Add one patient: a failure has the differences, an error has the trouble."""
        self._tests += 1
        self._cases.write(f"  <testcase classname={_quoted(result.group)} name={_quoted(result.name)}")
        lines = [*result.differences, *result.breaches, *result.moved]
        if lines:
            self._failures += 1
            self._cases.write(f'>\n    <failure message={_quoted(lines[0])} type="difference">')
            self._cases.write(f"{escape(_NOT_XML.sub('', chr(10).join(lines)))}</failure>\n  </testcase>\n")
        elif result.trouble is not None:
            self._errors += 1
            kind = "fault" if result.ours else "unreadable"
            self._cases.write(
                f'>\n    <error message={_quoted(result.trouble)} type="{kind}"/>\n  </testcase>\n'
            )
        else:
            self._cases.write("/>\n")

    def __exit__(self, *_: object) -> None:
        """Write the report, whatever ended the replay: what was done so far counts."""
        self._cases.seek(0)
        head = f'tests="{self._tests}" failures="{self._failures}" errors="{self._errors}"'
        with self._path.open("w", encoding="utf-8", newline="\n") as report, self._cases:
            report.write(
                f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n <testsuite name="{_SUITE}" {head}>\n'
            )
            shutil.copyfileobj(self._cases, report)
            report.write(" </testsuite>\n</testsuites>\n")


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))
