"""What a process of a replay does: it loads the content once and works on what it is given; it prints nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import cache

from cds_service.app import tune_collection
from cds_service.replay.plan import Plan, Result, Task
from cds_service.replay.pool import Processes
from cds_service.replay.replayer import Replayer


@cache
def _replayer(plan: Plan) -> Replayer:
    replayer = Replayer(plan)
    tune_collection()
    return replayer


def work(plan: Plan, batch: tuple[Task, ...]) -> list[Result]:
    """Return the results of some tasks; the content is loaded with the first ones and kept for the process."""
    return [result for task in batch for result in _replayer(plan).results(task)]


def replayed(tasks: Iterable[Task], plan: Plan, jobs: int) -> Generator[Result]:
    """Yield the results of all tasks in their order, from this process or from `jobs` others.

    Raises `KnowledgeError` before the first task where the content does not pass its gates.
    """
    replayer = Replayer(plan)
    if jobs > 1:
        del replayer  # it proved the content, which is what the processes find in the cache
        yield from Processes(plan, jobs, work).results(tasks)
    else:
        for task in tasks:
            yield from replayer.results(task)
