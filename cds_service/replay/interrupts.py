"""When Ctrl-C may end a replay: between two steps, never inside one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole_step() -> Iterator[None]:
    """Let a first Ctrl-C wait until the step is whole; a second one ends it where it stands.

    For the main thread, where Python handles signals. Raises `KeyboardInterrupt` after the step.
    """
    asked: list[int] = []

    def wait(number: int, _frame: object) -> None:
        asked.append(number)
        if len(asked) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


@contextmanager
def not_passed_on() -> Iterator[None]:
    """Hold Ctrl-C back while workers are started: they inherit that, so that only this process is interrupted."""
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
