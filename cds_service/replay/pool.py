"""Spreads tasks over processes or threads and returns the results in order; few tasks are ever held at once.

A worker that dies costs the item on which it died and no other. An interrupt reaches this process only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import NamedTuple

from cds_service.replay.interrupts import not_passed_on
from cds_service.replay.plan import Plan, Result, Task

_MOST_TASKS = 16
_BATCH_BYTES = 256 * 1024
_AHEAD = 3
"""So many batches a worker are on their way, so that none waits for the slowest."""
_HELD_BYTES = 64 * 1024 * 1024

Work = Callable[[Plan, tuple[Task, ...]], list[Result]]
"""A function at the top of a module, so that another process finds it."""
_Batch = tuple[Task, ...]
_Answers = Future[list[Result]]


class _Waiting(NamedTuple):
    batch: _Batch
    future: _Answers
    size: int


def batches(tasks: Iterable[Task]) -> Iterator[_Batch]:
    """Yield tasks in small groups: what passes between processes has a price of its own."""
    batch: list[Task] = []
    size = 0
    for task in tasks:
        if batch and (len(batch) == _MOST_TASKS or size + task.size > _BATCH_BYTES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(task)
        size += task.size
    if batch:
        yield tuple(batch)


def results_in_order(
    tasks: Iterable[Task], submit: Callable[[_Batch], _Answers], jobs: int
) -> Iterator[tuple[_Batch, _Answers]]:
    """Yield each batch with its future, in the order of the tasks, while the next ones are being worked on."""
    waiting: deque[_Waiting] = deque()
    held = 0
    for batch in batches(tasks):
        size = sum(task.size for task in batch)
        while waiting and (len(waiting) >= _AHEAD * jobs or held + size > _HELD_BYTES):
            first = waiting.popleft()
            held -= first.size
            yield first.batch, first.future
        waiting.append(_Waiting(batch, submit(batch), size))
        held += size
    while waiting:
        first = waiting.popleft()
        yield first.batch, first.future


class Processes:
    """A pool of processes that outlives the death of its workers."""

    def __init__(self, plan: Plan, jobs: int, work: Work) -> None:
        """Keep what workers need; they start with the first tasks."""
        self._plan = plan
        self._jobs = jobs
        self._work = work
        self._many = self._pool(jobs)
        self._one: Executor | None = None

    def results(self, tasks: Iterable[Task]) -> Generator[Result]:
        """Yield the results of all tasks, in their order."""
        try:
            for batch, future in results_in_order(tasks, self._submit, self._jobs):
                try:
                    found = future.result()
                except BrokenProcessPool:
                    found = [result for task in batch for result in self._alone(task)]
                yield from found
        finally:
            self._end()

    @staticmethod
    def _pool(jobs: int) -> Executor:
        return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))

    def _submit(self, batch: _Batch) -> _Answers:
        with not_passed_on():
            try:
                return self._many.submit(self._work, self._plan, batch)
            except BrokenProcessPool:
                self._many.shutdown()
                self._many = self._pool(self._jobs)
                return self._many.submit(self._work, self._plan, batch)

    def _alone(self, task: Task) -> list[Result]:
        """Work on one task of a pool that died, in a process of its own, to find the one that kills."""
        with not_passed_on():
            self._one = self._one or self._pool(1)
            future = self._one.submit(self._work, self._plan, (task,))
        try:
            return future.result()
        except BrokenProcessPool:
            self._one.shutdown()
            self._one = None
            trouble = "The process that worked on this died: too little memory, or a fault of ours."
            return [Result(name=task.name, group=task.group, trouble=trouble, ours=True)]

    def _end(self) -> None:
        self._many.shutdown(cancel_futures=True)
        if self._one is not None:
            self._one.shutdown(cancel_futures=True)
