"""Many clients of a running service in one thread: they call, wait for the answer, call again, and judge nothing."""

from __future__ import annotations

import asyncio
import http
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.store.serving import FEEDBACK, HOOK, STORY
from tests.support.feedback import message, overridden

_BROKEN_OFF = 0
_ANSWERED_WITHIN_S = 30.0
_RESTS_S = 0.02
"""After a connection that was broken off or refused, as any client would before it tries again."""


class Answer(NamedTuple):
    """One answer: status 0 where the connection broke off; `at` and `seconds` from the moment of sending."""

    status: int
    at: float
    seconds: float
    retry_after: str | None = None
    request_id: str | None = None
    refusal: str = ""
    """The body of what is not 200."""


Send = Callable[[], tuple[bytes, str | None]]
"""Returns the bytes of the next call, and the card that it is about where it is feedback."""


class Caller:
    """One client with a connection that it keeps; `answers` are all that it got, `stored` and `open` its feedback."""

    def __init__(self, port: int, send: Send, every_s: float = 0.0, *, heeds: bool = False) -> None:
        """Call a port of this machine with what `send` makes, as fast as it answers or at most once in `every_s`.

        A client that `heeds` waits as long as a refusal asks it to.
        """
        self._port, self._send, self._every_s, self._heeds = port, send, every_s, heeds
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.answers: list[Answer] = []
        self.stored: set[str] = set()
        self.open: set[str] = set()

    async def call_until(self, moment: float) -> None:
        """Call again and again until this moment of the monotonic clock."""
        while time.monotonic() < moment:
            await self._call_once()
        self._hang_up()

    async def call(self, times: int) -> None:
        """Call so many times."""
        for _ in range(times):
            await self._call_once()
        self._hang_up()

    async def _call_once(self) -> None:
        sent, card = self._send()
        answer = await self._answer(sent)
        self.answers.append(answer)
        if card is not None:
            (self.stored if answer.status == http.HTTPStatus.OK else self.open).add(card)
        rests = _RESTS_S if answer.status == _BROKEN_OFF else 0.0
        if self._heeds and answer.retry_after is not None:
            rests = float(answer.retry_after)
        await asyncio.sleep(max(rests, self._every_s - answer.seconds))

    async def _answer(self, sent: bytes) -> Answer:
        began = time.monotonic()
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN_S):
                if self._ends is None:
                    self._ends = await asyncio.open_connection("127.0.0.1", self._port)
                reader, writer = self._ends
                writer.write(sent)
                status, headers = read_head(await reader.readuntil(b"\r\n\r\n"))
                body = await reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError, TimeoutError):
            self._hang_up()
            return Answer(_BROKEN_OFF, began, time.monotonic() - began)
        if headers.get("connection") == "close":
            self._hang_up()
        seconds = time.monotonic() - began
        refusal = "" if status == http.HTTPStatus.OK else body.decode()
        return Answer(
            status, began, seconds, headers.get("retry-after"), headers.get("x-request-id"), refusal
        )

    def _hang_up(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return status and headers, whose names are in lower case."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = (line.partition(":") for line in lines if line)
    return int(first.split()[1]), {name.lower(): text.strip() for name, _, text in parts}


def request_of(method: str, path: str, body: bytes = b"") -> bytes:
    """Return the bytes of one call."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def hook_call() -> tuple[bytes, str | None]:
    """Send the sample patient of the benchmark's story."""
    return request_of("POST", HOOK, STORY), None


def feedback_call() -> tuple[bytes, str | None]:
    """Send an answer about a card that nobody has answered."""
    card = str(uuid.uuid4())
    return feedback_about(card), card


def feedback_about(card: str) -> bytes:
    """Return the call that answers this card."""
    return request_of("POST", FEEDBACK, json.dumps(message(overridden(card))).encode())


def readiness_call() -> tuple[bytes, str | None]:
    """Ask whether the service is ready."""
    return request_of("GET", "/health/ready"), None


def callers(port: int, count: int, send: Send, every_s: float = 0.0, *, heeds: bool = False) -> list[Caller]:
    """Return so many clients that send the same kind of call."""
    return [Caller(port, send, every_s, heeds=heeds) for _ in range(count)]


async def all_call(them: Iterable[Caller], seconds: float) -> None:
    """Let all of them call for so many seconds."""
    until = time.monotonic() + seconds
    await asyncio.gather(*(one.call_until(until) for one in them))


def answers_of(them: Iterable[Caller]) -> list[Answer]:
    """Return the answers of all of them in the order of their sending."""
    return sorted((answer for one in them for answer in one.answers), key=lambda answer: answer.at)


def told(name: str, answers: Iterable[Answer], seconds: float) -> str:
    """Return one line: how many answers of each status, how fast, and whether each refusal said when to come again."""
    found = [*answers]
    counts = Counter(answer.status for answer in found)
    parts = [f"{name}:"]
    for status, count in sorted(counts.items()):
        times = sorted(answer.seconds * 1000 for answer in found if answer.status == status)
        p50, p95, p99 = (times[min(len(times) - 1, int(len(times) * part))] for part in (0.5, 0.95, 0.99))
        what = "broken off" if status == _BROKEN_OFF else str(status)
        parts.append(
            f"{count} x {what} ({count / seconds:.0f}/s; ms p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f}"
            f" max {times[-1]:.1f})"
        )
    silent = sum(
        answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE and answer.retry_after is None
        for answer in found
    )
    return " ".join(parts) + (f" {silent} x 503 WITHOUT Retry-After" if silent else "")
