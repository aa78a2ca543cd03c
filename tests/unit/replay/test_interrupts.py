"""Ctrl-C waits for the step that is being done, unless it comes again."""

from __future__ import annotations

import os
import signal

import pytest

from cds_service.replay.interrupts import not_passed_on, whole_step


def interrupt() -> None:
    """Do what Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def counts_and_shows(done: list[str], interrupts: int) -> None:
    """Take a step of two parts, interrupted so many times between them."""
    with whole_step():
        done.append("counted")
        for _ in range(interrupts):
            interrupt()
        done.append("shown")


@pytest.mark.parametrize(("interrupts", "done"), [(1, ["counted", "shown"]), (2, ["counted"])])
def test_a_step_is_whole_before_it_is_interrupted(interrupts: int, done: list[str]) -> None:
    """What was begun is done; only a second interrupt ends a step that hangs, for example on a full pipe."""
    before = signal.getsignal(signal.SIGINT)
    found: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        counts_and_shows(found, interrupts)
    assert found == done
    assert signal.getsignal(signal.SIGINT) is before


def test_a_step_without_an_interrupt_ends_as_it_ends() -> None:
    """Nothing is raised but the fault of the step itself."""
    found: list[str] = []
    counts_and_shows(found, 0)
    assert found == ["counted", "shown"]
    with pytest.raises(ValueError, match="a fault"), whole_step():
        raise ValueError("a fault")


def starts_workers(held: list[bool]) -> None:
    """Note whether an interrupt would be inherited as held, and go on after one."""
    with not_passed_on():
        held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        interrupt()
        held.append(True)


def test_workers_inherit_that_they_are_not_interrupted() -> None:
    """An interrupt that comes while workers are started is told afterwards."""
    held: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        starts_workers(held)
    assert held == [True, True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
