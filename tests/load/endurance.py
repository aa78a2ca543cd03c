"""`make endure`: a running service under overload, slow clients, a full disk and a store that goes away; it prints.

Each part starts a service of its own with two workers on a loopback port, lays a load on it for a fixed time and ends
it again. What it prints is held to nothing; it ends with 1 only when something acknowledged is not there afterwards.
The full disk needs a folder on a small file system of its own, the store that goes away two commands.
"""

from __future__ import annotations

import argparse
import asyncio
import http
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from cds_service.store.audit import DECISION
from cds_service.store.chain import records
from cds_service.store.checkpoints import read_checkpoints
from cds_service.store.database import Database
from cds_service.store.keys import read_keys
from cds_service.store.tables import feedback
from cds_service.store.verify import verify
from tests.functional.server import LiveServer
from tests.load.callers import (
    Answer,
    Caller,
    all_call,
    answers_of,
    callers,
    feedback_about,
    feedback_call,
    hook_call,
    readiness_call,
    request_of,
    told,
)
from tests.store.serving import HOOK

WORKERS = 2
ADMITTED = WORKERS * (32 + 64)
"""Calls that are worked on, and that wait, by default: `CDS_MOST_IN_FLIGHT` and twice as many, per process."""
PEAK_CALLERS = 32
SLOW_CLIENTS, DRIPS_EVERY_S = 200, 0.5


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


@contextmanager
def serving(folder: Path, changes: Mapping[str, str]) -> Iterator[LiveServer]:
    """Run a service whose state is in `folder`; say its memory before and after, and the load of the machine."""
    log = Path(tempfile.mkdtemp(prefix="endurance-")) / "server.log"
    server = LiveServer(
        log,
        {
            "CDS_STATE_FOLDER": str(folder),
            "WORKERS": str(WORKERS),
            "CDS_AUDIT_REQUIRED": "true",
            "CDS_AUDIT_CHECKPOINTS": str(log.with_name("checkpoints")),
            **changes,
        },
    )
    say(f"load average {os.getloadavg()[0]:.2f}; memory {memory_of(server):.0f} MB; log {log}")
    try:
        yield server
        say(f"load average {os.getloadavg()[0]:.2f} at the end")
    finally:
        server.stop()


def memory_of(server: LiveServer) -> float:
    """Return the resident memory of the service and its workers together, in MB; shared pages count for each."""
    total = 0
    for pid in (server.process.pid, *server.workers):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return total / 1024


def overload(folder: Path) -> bool:
    """Call with four times as many clients as the limits admit; then with as many as before."""
    with serving(folder, {}) as server:
        for name, count, seconds in (
            ("peak", PEAK_CALLERS, 8.0),
            ("overload, Retry-After heeded", 4 * ADMITTED, 20.0),
            ("after", PEAK_CALLERS, 8.0),
            ("overload, Retry-After not heeded", 4 * ADMITTED, 20.0),
            ("after", PEAK_CALLERS, 8.0),
        ):
            them = callers(server.port, count, hook_call, heeds="not" not in name)
            probe = Caller(server.port, readiness_call, 0.1)
            asyncio.run(all_call([*them, probe], seconds))
            found = answers_of(them)
            say(told(f"{name}, {count} clients", found, seconds))
            say(told("  ready", probe.answers, seconds))
            say(f"  {Counter(one.refusal for one in probe.answers if one.refusal)}")
            if name == "after":
                say(told("  its first second", [one for one in found if one.at < found[0].at + 1], 1.0))
        say(f"memory {memory_of(server):.0f} MB")
    return True


async def _drip(port: int, at_once: bytes, dripped: bytes, until: float, ended: Counter[str]) -> None:
    """Send the end of a call byte by byte, again when it is cut; count how the connections ended."""
    while time.monotonic() < until:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(at_once)
        try:
            how = await _drip_one(reader, writer, dripped, until)
        except OSError:
            how = "closed"
        ended[f"{how} after {time.monotonic() - began:.0f} s"] += 1
        writer.close()


async def _drip_one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dripped: bytes, until: float
) -> str:
    for byte in dripped:
        writer.write(bytes([byte]))
        try:
            got = await asyncio.wait_for(reader.readline(), DRIPS_EVERY_S)
        except TimeoutError:
            if time.monotonic() > until:
                return "held to the end"
        else:
            return got.decode("latin-1").strip() or "closed"
    return "sent"


async def _beside(port: int, at_once: bytes, dripped: bytes, seconds: float) -> None:
    """Let ordinary clients call beside the slow ones, if there are any, and tell how both fared."""
    ended: Counter[str] = Counter()
    until = time.monotonic() + seconds
    count = SLOW_CLIENTS if dripped else 0
    slow_ones = [asyncio.create_task(_drip(port, at_once, dripped, until, ended)) for _ in range(count)]
    await asyncio.sleep(1.0)
    hooks, answering = callers(port, 4, hook_call, 0.05), callers(port, 2, feedback_call, 0.05)
    probe = callers(port, 1, readiness_call, 0.1)
    await all_call([*hooks, *answering, *probe], seconds - 1.0)
    await asyncio.gather(*slow_ones)
    for name, them in (("hooks", hooks), ("feedback", answering), ("ready", probe)):
        say(told(f"  {name}", answers_of(them), seconds - 1.0))
    say(f"  slow ones: {dict(ended)}")


def slow(folder: Path) -> bool:
    """Let 200 clients send a byte every half second, heads or bodies, while ordinary clients call."""
    body = request_of("POST", HOOK, b"{" + b" " * 5000)
    at = body.index(b"\r\n\r\n") + 4
    with serving(folder, {}) as server:
        for name, at_once, dripped, seconds in (
            ("without slow clients", b"", b"", 10.0),
            (f"{SLOW_CLIENTS} clients that drip their heads", b"", body[: at - 4], 30.0),
            (f"{SLOW_CLIENTS} clients that drip their bodies", body[:at], body[at:], 30.0),
            ("without slow clients", b"", b"", 10.0),
        ):
            say(name)
            asyncio.run(_beside(server.port, at_once, dripped, seconds))
            say(f"  memory {memory_of(server):.0f} MB")
    return True


class Faulted:
    """Clients that call before, during and after a fault, and whether all that was acknowledged is there afterwards."""

    def __init__(self, server: LiveServer) -> None:
        """Prepare eight clients that ask and four that answer."""
        self._server = server
        self.hooks = callers(server.port, 8, hook_call, 0.02)
        self.feedback = callers(server.port, 4, feedback_call, 0.02)
        self.probe = callers(server.port, 1, readiness_call, 0.1)

    def call_through(self, fault: Callable[[], None], mended: Callable[[], None], seconds: float) -> None:
        """Call for 5 s, then for so many seconds with the fault, then for 12 s after it was mended; tell of each."""
        begins = threading.Timer(5.0, fault)
        ends = threading.Timer(5.0 + seconds, self._mend, [mended])
        began = time.monotonic()
        begins.start()
        ends.start()
        asyncio.run(all_call([*self.hooks, *self.feedback, *self.probe], 17.0 + seconds))
        begins.join()
        ends.join()
        moments = (began, began + 5, began + 5 + seconds, self._mended_at, time.monotonic())
        for name, at, until in zip(
            ("before", "fault", "mending", "after"), moments, moments[1:], strict=False
        ):
            self._tell(name, at, until)
        for name, them in self._named():
            say(f"  {name}: first 200 {_first_good(answers_of(them), self._mended_at)} s after it was mended")

    def _mend(self, mended: Callable[[], None]) -> None:
        mended()
        self._mended_at = time.monotonic()

    def _named(self) -> tuple[tuple[str, list[Caller]], ...]:
        return ("hooks", self.hooks), ("feedback", self.feedback), ("ready", self.probe)

    def _tell(self, phase: str, began: float, until: float) -> None:
        say(f"{phase}, {until - began:.1f} s")
        for name, them in self._named():
            found = [one for one in answers_of(them) if began <= one.at < until]
            say(told(f"  {name}", found, until - began))

    def is_whole(self, url: str, folder: Path) -> bool:
        """Send again what was not acknowledged, end the service, and hold the store to what was acknowledged."""
        stored = set[str]().union(*(one.stored for one in self.feedback))
        left = set[str]().union(*(one.open for one in self.feedback))
        waiting = iter(sorted(left))

        def send() -> tuple[bytes, str | None]:
            card = next(waiting)
            return feedback_about(card), card

        again = Caller(self._server.port, send)
        asyncio.run(again.call(len(left)))
        counts = Counter(answer.status for answer in again.answers)
        say(
            f"sent again: {dict(counts)}; memory {memory_of(self._server):.0f} MB; exit {self._server.stop()}"
        )
        checkpoints = self._server.log.with_name("checkpoints")
        return is_kept(url, folder, checkpoints, stored | again.stored, answers_of(self.hooks))


def _first_good(answers: list[Answer], moment: float) -> float | None:
    """Return how many seconds after a moment the first good answer to a call sent after it was there."""
    good = (one.at + one.seconds for one in answers if one.at >= moment and one.status == http.HTTPStatus.OK)
    return next((round(at - moment, 2) for at in good), None)


def is_kept(url: str, folder: Path, checkpoints: Path, cards: set[str], answers: list[Answer]) -> bool:
    """Tell what is lost or doubled of feedback, which answers have no record, and what the audit says."""
    database = Database(url)
    with database.reading() as connection:
        kept = Counter(connection.execute(select(feedback.c.card)).scalars())
    key = read_keys(folder / "secret.key").audit
    recorded = Counter(
        json.loads(one.content)["request"] for one in records(database) if one.kind == DECISION
    )
    verdict = verify(records(database), key, read_checkpoints(checkpoints, key))
    database.close()
    answered = {one.request_id for one in answers if one.status == http.HTTPStatus.OK}
    lost, doubled = len(cards - kept.keys()), sum(count > 1 for count in kept.values())
    unrecorded, twice = len(answered - recorded.keys()), sum(count > 1 for count in recorded.values())
    waiting = sum(file.stat().st_size for file in (folder / "audit").glob("*.spool"))
    say(f"feedback: {len(cards)} acknowledged, {lost} lost, {doubled} doubled")
    say(f"decisions: {len(answered)} answered, {unrecorded} without a record, {twice} recorded twice")
    say(
        f"audit: {verdict.records} records, {verdict.checkpoints} checkpoints, {len(verdict.flaws)} flaws, "
        f"{waiting} bytes in spools; {[*verdict.flaws][:3]}"
    )
    return not (lost or doubled or unrecorded or verdict.flaws)


class Ballast:
    """Fills a small file system to the last byte and keeps it full, until it is taken away."""

    def __init__(self, folder: Path) -> None:
        """Take nothing yet."""
        self._file = folder / "ballast"
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._fill)

    def begin(self) -> None:
        """Begin to fill."""
        self._thread.start()

    def end(self) -> None:
        """Give the room back."""
        self._ends.set()
        self._thread.join()
        self._file.unlink()

    def _fill(self) -> None:
        file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        size = 1 << 20
        while not self._ends.is_set():
            try:
                os.write(file, bytes(size))
            except OSError:
                size = max(1, size // 2)
                if size == 1:
                    self._ends.wait(0.05)
                    size = 4096
        os.close(file)


def full_disk(folder: Path) -> bool:
    """Let the disk under the state, or what else is in this folder, be full for 10 s."""
    state, ballast = folder / "state", Ballast(folder)
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    with serving(state, {"TMPDIR": str(temporary)}) as server:
        load = Faulted(server)
        load.call_through(ballast.begin, ballast.end, 10.0)
        return load.is_whole(f"sqlite:///{state / 'store.sqlite3'}", state)


def store_away(folder: Path, url: str, stop: str, start: str, seconds: float) -> bool:
    """Let the database be stopped for so many seconds; both commands are those of whoever runs this."""
    with serving(folder, {"DATABASE_URL": url}) as server:
        load = Faulted(server)

        def run(command: str) -> None:
            if command:
                subprocess.run(shlex.split(command), check=True)

        load.call_through(lambda: run(stop), lambda: run(start), seconds)
        return load.is_whole(url, folder)


def main() -> int:
    """Run the parts that were named, or those that need nothing."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "parts", nargs="*", default=["overload", "slow"], help="overload slow full-disk store-away"
    )
    asked.add_argument(
        "--small-disk", type=Path, help="empty folder on a file system of about 60 MB, to be filled"
    )
    asked.add_argument("--database-url", default="", help="an empty PostgreSQL database")
    asked.add_argument("--stop", default="", help="command that stops that database")
    asked.add_argument("--start", default="", help="command that starts it, or that restarts it")
    asked.add_argument("--seconds", type=float, default=20.0, help="between both")
    given = asked.parse_args()
    parts: dict[str, Callable[[Path], bool]] = {
        "overload": overload,
        "slow": slow,
        "full-disk": lambda _folder: full_disk(given.small_disk),
        "store-away": lambda folder: store_away(
            folder, given.database_url, given.stop, given.start, given.seconds
        ),
    }
    good = True
    for name in given.parts:
        say(f"== {name}")
        with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
            good = parts[name](Path(folder)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
