"""`make bench`: time from request bytes to response bytes beside `orjson.loads` of the same body; it asserts nothing.

Then the same calls with one entry in ten malformed, beside the clean ones.

Bodies are generated to look like what an EHR sends for the advertised keys: mostly laboratory results and vital
signs with codings, categories, references and narrative-free metadata, plus problems and medicines. Each round
times both functions in turn, so that a slow moment of the machine hits both; the medians and their ratio count.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from cds_service.app import load_knowledge, tune_collection
from cds_service.pipeline import Reasoner, answer
from cds_service.settings import Settings

AS_OF = datetime(2026, 6, 15, 10, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
STORY = ROOT / "fhir_samples" / "ms-fasciculation-on-thiazide" / "request.json"
BUDGETS = {40_000: 8.0, 400_000: 1.3, 4_000_000: 1.0}
"""Body size → the most that a decision may take, as a multiple of `orjson.loads`."""
MALFORMED = 2.0
"""The most that a call with one malformed entry in ten may take, as a multiple of the same call without."""

_LABS = (
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 4.2),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 139),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.9),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 14.1),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 6.3),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 240),
    ("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", 180),
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", 5.4),
    ("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", 9.4),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 92),
)


def _observation(number: int, chance: random.Random) -> dict[str, Any]:
    code, display, unit, typical = chance.choice(_LABS)
    taken = date(2026, 6, 1) - timedelta(days=number // 8)
    value = round(typical * chance.uniform(0.97, 1.03), 2)
    return {
        "resourceType": "Observation",
        "id": f"bench-observation-{number}",
        "meta": {"versionId": "1", "lastUpdated": f"{taken}T09:30:00.000+00:00"},
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": code, "display": display}],
            "text": display,
        },
        "subject": {"reference": "Patient/sample-p02"},
        "encounter": {"reference": f"Encounter/bench-{number // 8}"},
        "effectiveDateTime": f"{taken}T08:{number % 60:02d}:00+00:00",
        "issued": f"{taken}T09:{number % 60:02d}:00.123+00:00",
        "performer": [{"reference": "Organization/bench-laboratory", "display": "Bench laboratory"}],
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def body_of(size: int) -> bytes:
    """Return a hook request of about `size` bytes: the thiazide story with a longer laboratory history."""
    chance = random.Random(size)  # noqa: S311 - a bench body, not a secret
    request = orjson.loads(STORY.read_bytes())
    entries = request["prefetch"]["labs"]["entry"]
    patient = request["context"]["patientId"]
    length, number = len(orjson.dumps(request)), 0
    while length < size:
        observation = _observation(number, chance)
        observation["subject"]["reference"] = f"Patient/{patient}"
        entry = {
            "fullUrl": f"https://ehr.example.org/fhir/Observation/{observation['id']}",
            "resource": observation,
        }
        entries.append(entry)
        length += len(orjson.dumps(entry)) + 1
        number += 1
    return orjson.dumps(request)


_FAULTS: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda resource: resource.update(code=[resource["code"]] * 2),
    lambda resource: resource.update(status=5),
    lambda resource: resource.update(subject={"reference": 5}),
    lambda resource: resource.update(effectiveDateTime={"start": "2026"}),
)


def spoilt(body: bytes) -> bytes:
    """Return the same request with one entry in ten malformed, in four ways by turns."""
    request = orjson.loads(body)
    answers = [value for value in request["prefetch"].values() if value]
    tenths = [entry["resource"] for value in answers for entry in value.get("entry", ())[5::10]]
    for number, resource in enumerate(tenths):
        _FAULTS[number % len(_FAULTS)](resource)
    return orjson.dumps(request)


def measure(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the median seconds of both functions, called in turn."""
    mine, other = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        theirs()
        middle = time.perf_counter()
        ours()
        mine.append(time.perf_counter() - middle)
        other.append(middle - started)
    return statistics.median(mine), statistics.median(other)


def bench_decisions(rounds: int) -> None:
    """Print one line per body size."""
    reasoner = Reasoner(load_knowledge(Settings()), "http://127.0.0.1:8000/about")
    tune_collection()
    print(f"{'body':>10} {'answer':>11} {'orjson.loads':>13} {'ratio':>7} {'budget':>7}")
    for size, budget in BUDGETS.items():
        body = body_of(size)
        count = max(rounds * 40_000 // size, 15)

        def ours(body: bytes = body) -> bytes:
            return answer(body, "muscle-spasm-problem", reasoner, AS_OF, may_replay=True)

        def theirs(body: bytes = body) -> object:
            return orjson.loads(body)

        ours()
        mine, other = measure(ours, theirs, count)
        print(
            f"{len(body):>8} B {mine * 1e3:>8.3f} ms {other * 1e3:>10.3f} ms {mine / other:>6.2f}x {budget:>6.1f}x"
        )


def bench_malformed(rounds: int) -> None:
    """Print how much longer a call takes when one entry in ten is malformed; the goal is twice the clean one."""
    reasoner = Reasoner(load_knowledge(Settings()), "http://127.0.0.1:8000/about")
    print(f"{'body':>10} {'malformed':>11} {'clean':>13} {'ratio':>7} {'budget':>7}")
    for size in BUDGETS:
        clean = body_of(size)
        wrong = spoilt(clean)

        def ours(body: bytes = wrong) -> bytes:
            return answer(body, "muscle-spasm-problem", reasoner, AS_OF, may_replay=True)

        def theirs(body: bytes = clean) -> bytes:
            return answer(body, "muscle-spasm-problem", reasoner, AS_OF, may_replay=True)

        ours()
        mine, other = measure(ours, theirs, max(rounds * 40_000 // size, 15))
        print(
            f"{len(wrong):>8} B {mine * 1e3:>8.3f} ms {other * 1e3:>10.3f} ms {mine / other:>6.2f}x {MALFORMED:>6.1f}x"
        )


def bench_process(port: int) -> None:
    """Print how long the service takes to answer after its start, and how much memory its worker holds."""
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "WORKERS": "1"}
    started = time.perf_counter()
    command = [sys.executable, "-m", "cds_service.cli.main", "serve"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(f"{base}/health/ready")
            print(f"start to first answer {time.perf_counter() - started:.2f} s (budget 2 s)")
            for size in BUDGETS:
                _post(f"{base}/cds-services/muscle-spasm-problem", body_of(size), 20)
            workers = _children(server.pid)
            peak = max(_memory(pid) for pid in workers or [server.pid])
            print(
                f"worker memory after {20 * len(BUDGETS)} calls up to 4 MB: {peak:.0f} MB resident (budget 120 MB)"
            )
            print(f"supervisor: {_memory(server.pid):.0f} MB resident")
        finally:
            server.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - a loopback address built here
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(url)


def _post(url: str, body: bytes, times: int) -> None:
    for _ in range(times):
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - a loopback address
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - a loopback address
            response.read()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in listed.split()]


def _memory(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1500, help="rounds for the smallest body")
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    bench_decisions(arguments.rounds)
    bench_malformed(arguments.rounds)
    bench_process(arguments.port)


if __name__ == "__main__":
    main()
