"""Replaying with several processes: the order, the death of a worker, the end by Ctrl-C, and what is held in memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cds_service.replay.plan import Plan, Result, Task
from cds_service.replay.pool import Processes, batches
from cds_service.settings import Settings
from tests.functional.commands import run
from tests.functional.server import COMMAND, clean_environment
from tests.spec.calls import STORIES
from tests.support.crashing import DEADLY, SLOW, work
from tests.support.places import SAMPLES

PLAN = Plan(settings=Settings(), started_at=datetime(2026, 6, 15, tzinfo=UTC), record="group")
BIG = 256 * 1024
"""A task of this size makes a batch of its own."""


def _tasks(names: list[str], size: int = BIG) -> list[Task]:
    return [Task(name=name, group="group", size=size) for name in names]


def _lines(path: Path, copies: int) -> Path:
    requests = [json.loads((SAMPLES / name / "request.json").read_text("utf-8")) for name in STORIES]
    path.write_text("".join(f"{json.dumps(request)}\n" for request in requests * copies), encoding="utf-8")
    return path


def _results(tasks: list[Task]) -> list[Result]:
    return [*Processes(PLAN, 2, work).results(tasks)]


def test_results_come_in_the_order_of_the_tasks() -> None:
    """A slow first task does not let a later one pass it."""
    names = [SLOW, "b", "c", "d", "e", "f", "g", "h"]
    assert [result.name for result in _results(_tasks(names))] == names


def test_the_death_of_a_worker_costs_one_item() -> None:
    """The item that kills its process is named as a fault of ours; all others are answered, in order."""
    names = ["a", "b", DEADLY, "c", "d", "e", "f", "g", "h", "i"]
    for size in (BIG, 1):  # alone in a batch, and among others
        results = _results(_tasks(names, size))
        assert [result.name for result in results] == names
        assert [result.name for result in results if result.ours] == [DEADLY]
        assert [result.trouble is None for result in results].count(False) == 1


def test_few_tasks_are_read_ahead() -> None:
    """However many tasks there are, only some are taken before their results are wanted."""
    taken = 0

    def endless() -> Iterator[Task]:
        nonlocal taken
        while True:
            taken += 1
            yield Task(name=str(taken), group="group", size=BIG)

    results = Processes(PLAN, 2, work).results(endless())
    for _ in range(5):
        next(results)
    results.close()
    assert taken < 20


def test_small_tasks_travel_together() -> None:
    """Small tasks make batches, and a large one travels alone."""
    sizes = [10] * 20 + [BIG * 3] + [10]
    found = [*batches(Task(name="x", group="g", size=size) for size in sizes)]
    assert [len(batch) for batch in found] == [16, 4, 1, 1]


def test_two_processes_answer_like_one(tmp_path: Path) -> None:
    """The output of two processes is that of one, in the same order, apart from the uuids."""
    path = _lines(tmp_path / "patients.ndjson", 2)
    one, two = (run("replay", "--summary", "--jobs", jobs, path) for jobs in ("1", "2"))
    assert (one.status, two.status) == (0, 0)
    assert len(one.out.splitlines()) == 2 * len(STORIES)
    assert one.out == two.out


def test_an_interrupt_ends_cleanly(tmp_path: Path) -> None:
    """Ctrl-C ends the replay with 130, tells what was answered and leaves no process behind."""
    path = _lines(tmp_path / "patients.ndjson", 400)
    with subprocess.Popen(
        [COMMAND, "replay", "--summary", "--jobs", "2", str(path)],
        env=clean_environment({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the command
        answered = len([first, *process.stdout])
        err = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert err.startswith(f"{answered} patient")
    assert "Interrupted" in err
    assert "Traceback" not in err
    deadline = time.monotonic() + 10
    while _lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(process.pid)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_bar_is_drawn_on_a_terminal_only() -> None:
    """Nothing of the progress bar reaches a file: the other stream holds words only."""
    outcome = run("replay", "--summary", SAMPLES, changes={"FORCE_COLOR": "1"})
    assert outcome.err.count("\n") == 1
    assert "\r" not in outcome.err
