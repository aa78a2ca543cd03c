"""Writes `fhir_samples` from the cases that are published; never touches a file that no case asks for.

Run `python -m tests.support.write_samples` from the top of a checkout after a case has changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from tests.support.case_files import Case, samples
from tests.support.json_text import to_json
from tests.support.patients import bundle, hook_request
from tests.support.places import SAMPLES

_ABOUT_ALL = """\
# FHIR samples

One folder per story. All people are invented, and the resources are tagged as test data (`HTEST`).

| File | What it is |
|---|---|
| `request.json` | the body of a CDS Hooks call, with the whole record in `prefetch` |
| `bundle.json` | the same patient as one FHIR R4 bundle of type `collection`, without orders in draft |
| `expected.yaml` | what the answer must say and must not say, read as of the moment given there |
| `README.md` | one line: who, what, and what the answer should be |

The files are written from the cases of `tests/cases` by `python -m tests.support.write_samples`; change the case, not
the file. `request.json` carries the moment of reading in `extension`, so that its answer does not change with the
calendar. What the keys of `expected.yaml` mean is told in `tests/cases/README.md`.

| Story | What |
|---|---|
"""


def _expected(case: Case) -> str:
    content = {"as_of": case["as_of"], "expect": case["expect"]}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return text


def files() -> dict[Path, str]:
    """Return the text of every sample file by its path below `fhir_samples`."""
    stories = sorted(samples(), key=lambda case: str(case["sample"]))
    rows = [f"| [`{case['sample']}`]({case['sample']}/) | {case['title']} |\n" for case in stories]
    written = {Path("README.md"): _ABOUT_ALL + "".join(rows)}
    for case in stories:
        folder = Path(case["sample"])
        written[folder / "request.json"] = to_json(hook_request(case))
        written[folder / "bundle.json"] = to_json(bundle(case))
        written[folder / "expected.yaml"] = _expected(case)
        written[folder / "README.md"] = f"{case['about'].strip()}\n"
    return written


def write(folder: Path = SAMPLES) -> int:
    """Write every sample file below `folder` and return how many there are."""
    written = files()
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
    return len(written)


if __name__ == "__main__":
    sys.stdout.write(f"{write()} sample files written\n")
