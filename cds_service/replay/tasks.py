"""From paths to the tasks of a replay, one at a time and in order; it decodes nothing but what groups lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.errors import CDSError
from cds_service.replay.files import Found, open_file, size_of
from cds_service.replay.lines import Line, Run, read_lines, runs_of_patients
from cds_service.replay.plan import MOST_BYTES, Task

_TOO_LONG = f"The item is over {MOST_BYTES // 1024 // 1024} MiB."


def tasks_of(files: Iterable[Found], *, by_patient: bool) -> Iterator[Task]:
    """Yield the tasks of these files; what cannot be opened becomes a task that tells so."""
    for file in files:
        try:
            if file.has_lines:
                yield from _line_tasks(file, by_patient=by_patient)
            else:
                yield _file_task(file)
        except OSError as error:
            yield _troubled(file, f"The file cannot be read: {error.strerror}.")
        except CDSError as error:
            yield _troubled(file, error.text)


def _file_task(file: Found) -> Task:
    size = size_of(file.path)
    with open_file(file.path, file.inside):
        trouble = None if size <= MOST_BYTES else f"The file is over {MOST_BYTES // 1024 // 1024} MiB."
    return Task(name=file.name, group=file.group, size=size, path=file.path, trouble=trouble)


def _line_tasks(file: Found, *, by_patient: bool) -> Iterator[Task]:
    with open_file(file.path, file.inside) as opened:
        lines = read_lines(opened, MOST_BYTES)
        parts = runs_of_patients(lines, MOST_BYTES) if by_patient else lines
        for part in parts:
            yield Task(
                name=f"{file.name}:{_numbers(part)}",
                group=file.group,
                size=len(part.body or b""),
                body=part.body,
                trouble=_TOO_LONG if part.body is None else None,
                is_line=True,
            )


def _numbers(part: Line | Run) -> str:
    if isinstance(part, Line):
        return str(part.number)
    return str(part.first) if part.first == part.last else f"{part.first}-{part.last}"


def _troubled(file: Found, trouble: str) -> Task:
    return Task(name=file.name, group=file.group, trouble=trouble)
