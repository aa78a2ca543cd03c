"""What a replay prints, in each of its forms; every text of a chart or a file name is made harmless first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from os.path import commonpath, relpath
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.cards.markdown import clean
from cds_service.cli.show import COLORS, show_cards
from cds_service.model.hooks import ascii_json
from cds_service.replay.files import STORY
from cds_service.replay.plan import Result
from cds_service.replay.totals import Count, Totals

_MOST_ROWS = 60
"""A table of more patients than this is not read; the folders are counted instead."""


class Output(ABC):
    """One form of printing the results as they come."""

    with_answers = False
    """Whether it needs the whole answers."""

    def __init__(self, console: Console) -> None:
        """Print to `console`."""
        self.console = console

    @abstractmethod
    def add(self, result: Result) -> None:
        """Print one result."""

    def end(self, totals: Totals, seconds: float, jobs: int) -> None:
        """Print what all came to, to the other stream."""
        click.echo(closing(totals, seconds, jobs), err=True)


class JSONLines(Output):
    """One JSON object per patient, and nothing else: a program adds them up itself."""

    with_answers = True

    def add(self, result: Result) -> None:
        """Print one line; what could not be answered has `error` instead of `cards`."""
        if result.trouble is not None:
            line: dict[str, Any] = {"file": result.name, "error": result.trouble}
        else:
            answer = msgspec.json.decode(result.answer or b'{"cards":[]}')
            line = {"file": result.name, "as_of": result.as_of, **answer}
            line["notes"] = [note.code for note in result.notes]
        line["expectation"] = expectation_word(result)
        for name in ("differences", "breaches", "remarks", "moved"):
            if getattr(result, name):
                line[name] = getattr(result, name)
        # DEL is the one control character that JSON lets stand unescaped
        click.echo(ascii_json(line).replace(b"\x7f", b"\\u007f"))

    def end(self, totals: Totals, seconds: float, jobs: int) -> None:
        """Print nothing."""


class SummaryLines(Output):
    """One line of words per patient."""

    def add(self, result: Result) -> None:
        """Print one line, and what is wrong with it to the other stream."""
        if result.trouble is None:
            causes = ", ".join(f"{cause} {standing}" for cause, standing in result.candidates)
            costly = sum(note.severity != "information" for note in result.notes)
            word = expectation_word(result)
            ending = "" if word == "none" else f"; expectation {word}"
            click.echo(f"{result.name}: {result.level}; {causes or 'no candidate'}; {costly} notes{ending}")
        for line in problems(result):
            click.echo(line, err=True)


class Cards(Output):
    """The cards themselves, to be read."""

    with_answers = True

    def add(self, result: Result) -> None:
        """Print the cards of one patient, and what is not as expected."""
        if result.trouble is None:
            answer = msgspec.json.decode(result.answer or b'{"cards":[]}')
            show_cards(self.console, result.name, answer["cards"], result.notes)
            if expectation_word(result) == "holds":
                self.console.print("The expectation holds.", style="green")
        for line in problems(result):
            click.echo(line, err=True)

    def end(self, totals: Totals, seconds: float, jobs: int) -> None:
        """Print nothing for a single patient, who has been shown."""
        if totals.whole.patients + totals.whole.unread > 1:
            super().end(totals, seconds, jobs)


class Tables(Output):
    """A table of the patients while they are few, of the folders and files where they are many."""

    def __init__(self, console: Console) -> None:
        """Begin without rows."""
        super().__init__(console)
        self._rows: list[Result] | None = []

    def add(self, result: Result) -> None:
        """Keep the patient for the table, while it is short, and tell at once what is wrong."""
        for line in problems(result):
            click.echo(line, err=True)
        if self._rows is not None and result.trouble is None:
            self._rows = [*self._rows, result] if len(self._rows) < _MOST_ROWS else None

    def end(self, totals: Totals, seconds: float, jobs: int) -> None:
        """Print the table and one line of what all came to."""
        self.console.print(_patients(self._rows) if self._rows else _groups(totals))
        self.console.print(Text(closing(totals, seconds, jobs)))


def expectation_word(result: Result) -> str:
    """Return `none`, `holds` or `fails`."""
    if not result.expected:
        return "none"
    return "fails" if result.differences or result.trouble is not None else "holds"


def problems(result: Result) -> Iterator[str]:
    """Yield what is wrong with a result: the name first, then one indented line for each thing."""
    if result.trouble is not None:
        yield f"{result.name}: {result.trouble}"
        return
    strict = [f"strict: {line}" for line in (*result.breaches, *result.remarks)]
    lines = [*result.differences, *strict, *result.moved]
    if lines:
        yield f"{result.name}:"
    yield from (f"  {clean(line)}" for line in lines)


def closing(totals: Totals, seconds: float, jobs: int) -> str:
    """Return what a replay came to, in words."""
    whole = totals.whole
    speed = whole.patients / seconds if seconds else 0.0
    patients = "1 patient" if whole.patients == 1 else f"{whole.patients} patients"
    parts = [f"{patients} in {seconds:.1f} s ({speed:.0f} a second, {_processes(jobs)})"]
    if whole.expected:
        parts.append(f"{whole.held} of {whole.expected} expectations hold")
    if whole.compared:
        parts.append(
            f"{whole.moved} of {whole.compared} patients are answered otherwise by the other content"
        )
    if whole.unread:
        parts.append(f"{whole.unread} could not be answered")
    return "; ".join(parts)


def _processes(jobs: int) -> str:
    return "one process" if jobs == 1 else f"{jobs} at a time"


def _patients(rows: list[Result]) -> Table:
    table = Table("patient", "level", "first cause", "red flags", "notes", "expectation", box=SIMPLE_HEAD)
    table.columns[0].overflow = "fold"
    for row in rows:
        table.add_row(
            Text(_short_name(row)),
            Text(row.level, style=COLORS.get(row.level, "")),
            Text(_first_cause(row)),
            Text(", ".join(row.red_flags)),
            Text(str(len(row.notes))),
            _verdict(row),
        )
    return table


def _short_name(row: Result) -> str:
    """Return the name below its folder; a story is called by its folder alone."""
    return row.name.removeprefix(f"{row.group}/").removesuffix(f"/{STORY}")


def _first_cause(row: Result) -> str:
    if not row.candidates:
        return "none"
    cause, standing = row.candidates[0]
    more = len(row.candidates) - 1
    return f"{cause} {standing}" + (f" (+{more})" if more else "")


def _verdict(row: Result) -> Text:
    word = expectation_word(row)
    return Text("" if word == "none" else word, style="red" if word == "fails" else "green")


def _groups(totals: Totals) -> Table:
    table = Table("folder or file", *(head for head, _ in _COLUMNS), box=SIMPLE_HEAD)
    table.columns[0].overflow = "fold"
    shared = _shared_folder(totals)
    for name, count in totals.groups.items():
        table.add_row(Text(relpath(name, shared) if shared else name), *_numbers(count))
    if len(totals.groups) > 1:
        table.add_section()
        table.add_row("all", *_numbers(totals.whole))
    return table


def _shared_folder(totals: Totals) -> str:
    """Return the folder in which all groups lie, if there are several and they are named alike."""
    names = [*totals.groups]
    is_absolute = {Path(name).is_absolute() for name in names}
    return commonpath(names) if len(names) > 1 and len(is_absolute) == 1 else ""


_COLUMNS = (
    ("patients", "patients"),
    ("read", "read"),
    ("used", "used"),
    ("noted", "noted"),
    ("carded", "carded"),
    ("fired", "fired"),
    ("unanswered", "unread"),
    ("failed", "failed"),
)


def _numbers(count: Count) -> list[str]:
    return [str(getattr(count, name)) for _, name in _COLUMNS]
