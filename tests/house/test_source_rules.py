"""House rules that no linter knows, each with a planted breach; reads the repository's files and changes none."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cds_service"
PYTHON_FILES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
LONGEST_FILE = 300

MACHINE_PATH = re.compile(r"(?<![\w./:})*-])/(?:work|root|home/\w+|tmp)/")
TEMPORARY_PATH = re.compile(r"(?<![\w./:})*-])/(?:work|root|home/\w+)/")
SILENCER = re.compile(r"#\s*(?:ruff:\s*)?(?P<what>noqa|type:\s*ignore)(?P<rest>.*)")
SILENCED_CODES = re.compile(r"^(?:\[[\w\-, ]+\]|:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)")
MOMENTS = {"now", "utcnow", "today"}
MOMENTS_OF_TIME_MODULE = {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime"}
CONTENT_FOLDERS = ("causes", "labs", "orders", "presentations", "questionnaires", "red_flags")
FREE_OF_CONTENT = ("engine", "replay")
"""Parts of the package that take from the content what they know of it."""


def repository_files() -> list[Path]:
    """Return every file that git tracks or would track; without git, every file outside dotted folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        inside = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = [str(path) for path in inside if path.parts[0] == ".ci" or not path.parts[0].startswith(".")]
    else:
        names = [name for name in listed.split("\0") if name]
    return sorted(ROOT / name for name in names if (ROOT / name).is_file())


def text_of(path: Path) -> str:
    """Return the file's text; a binary file has none."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8")


def machine_paths(text: str, pattern: re.Pattern[str] = MACHINE_PATH) -> list[int]:
    """Return the numbers of the lines that name a folder of one particular machine."""
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def silencers_without_reason(source: str) -> list[int]:
    """Return the lines on which a lint or type fault is silenced without saying why."""
    faults = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        found = SILENCER.search(token.string) if token.type == tokenize.COMMENT else None
        if found and not re.search(r"[a-z]+\W+[a-z]+", SILENCED_CODES.sub("", found["rest"]), re.IGNORECASE):
            faults.append(token.start[0])
    return faults


def clock_reads(source: str) -> list[int]:
    """Return the lines that ask what time or day it is; clocks that only measure durations do not count."""
    nodes = list(ast.walk(ast.parse(source)))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    from_datetime = [alias for node in imports if node.module == "datetime" for alias in node.names]
    days = {"date", "datetime"} | {alias.asname or alias.name for alias in from_datetime}
    lines = [
        node.lineno for node in imports if node.module == "time" and _names(node) & MOMENTS_OF_TIME_MODULE
    ]
    lines += [node.lineno for node in nodes if isinstance(node, ast.Attribute) and _reads_clock(node, days)]
    return sorted(lines)


def _names(node: ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}


def _reads_clock(node: ast.Attribute, days: set[str]) -> bool:
    owner = ast.unparse(node.value).rpartition(".")[2]
    return (owner in days and node.attr in MOMENTS) or (
        owner == "time" and node.attr in MOMENTS_OF_TIME_MODULE
    )


def clinical_words() -> Iterator[str]:
    """Yield the names of the things that the content files define, as ids and as people write them."""
    for folder in CONTENT_FOLDERS:
        for path in (ROOT / "cards" / folder).glob("*.yaml"):
            yield path.stem
            title = yaml.safe_load(path.read_text("utf-8")).get("title")
            if title:
                yield str(title)


def words_used(source: str, words: set[str]) -> set[str]:
    """Return those of `words` that stand in `source`, whatever the case and however the parts are joined."""
    plain = " ".join(re.findall(r"[a-z0-9]+", source.lower()))
    return {word for word in words if f" {' '.join(re.findall(r'[a-z0-9]+', word.lower()))} " in f" {plain} "}


def shown(path: Path, lines: list[int]) -> list[str]:
    """Return `path:line` for each line, as an editor opens it."""
    return [f"{path.relative_to(ROOT)}:{line}" for line in lines]


def test_no_file_names_a_folder_of_one_machine() -> None:
    """The project runs anywhere; only tests may name the temporary folder."""
    faults = []
    for path in repository_files():
        is_test = path.is_relative_to(ROOT / "tests")
        faults += shown(path, machine_paths(text_of(path), TEMPORARY_PATH if is_test else MACHINE_PATH))
    assert faults == []


@pytest.mark.parametrize("folder", ["work", "root", "tmp", "home/someone"])
def test_a_planted_machine_path_is_found(folder: str) -> None:
    """A path is seen in code and in prose, and a web address with the same word is none."""
    assert machine_paths(f"\nopen('/{folder}/x')\n") == [2]
    assert machine_paths(f"see https://example.org/{folder}/x and $(ROOT)/{folder}/x") == []


def test_every_silenced_fault_has_a_reason() -> None:
    """Each noqa and each ignored type fault says why on its own line."""
    faults = [
        fault for path in PYTHON_FILES for fault in shown(path, silencers_without_reason(text_of(path)))
    ]
    assert faults == []


@pytest.mark.parametrize("silencer", ["noqa", "noqa: S101", "type: ignore[arg-type]", "noqa: S101, E501"])
def test_a_planted_silencer_is_found(silencer: str) -> None:
    """A bare silencer is a fault, one with a reason is not, and a string is no comment."""
    assert silencers_without_reason(f"x = 1  # {silencer}\n") == [1]
    assert silencers_without_reason(f"x = 1  # {silencer}  # the library's stub is wrong\n") == []
    assert silencers_without_reason(f"x = '# {silencer}'\n") == []


def test_the_clock_is_read_only_at_the_edge() -> None:
    """Outside web and cli the present moment is an argument; in unit tests it is a constant."""
    edges = (PACKAGE / "web", PACKAGE / "cli")
    inner = [path for path in PACKAGE.rglob("*.py") if not any(path.is_relative_to(edge) for edge in edges)]
    faults = [
        fault
        for path in [*inner, *(ROOT / "tests" / "unit").rglob("*.py")]
        for fault in shown(path, clock_reads(text_of(path)))
    ]
    assert inner
    assert faults == []


@pytest.mark.parametrize(
    "line",
    [
        "dt.datetime.now(tz)",
        "date.today()",
        "time.time()",
        "from time import time_ns",
        "f(clock=datetime.utcnow)",
        "from datetime import date as day; day.today()",
    ],
)
def test_a_planted_clock_read_is_found(line: str) -> None:
    """Every way to ask for the present moment is seen; a stopwatch and a field called time are not."""
    assert clock_reads(f"{line}\n") == [1]
    assert clock_reads("time.monotonic() - started.time > limits.today\n") == []


@pytest.mark.parametrize("part", FREE_OF_CONTENT)
def test_what_decides_and_what_judges_know_no_clinical_word(part: str) -> None:
    """No cause, lab, order, questionnaire, red flag or presentation of the content is named in engine or replay."""
    words = set(clinical_words())
    paths = list((PACKAGE / part).rglob("*.py"))
    assert words
    assert paths
    for path in paths:
        assert words_used(text_of(path), words) == set(), path.name


def test_a_planted_clinical_word_is_found() -> None:
    """An id is found as an identifier, in prose and in a string, and not inside another word."""
    words = {"low-copper", "ear"}
    assert words_used("def low_copper(): ...", words) == {"low-copper"}
    assert words_used("# Low copper speaks for it", words) == {"low-copper"}
    assert words_used("early = 'follow-copperplate'", words) == set()


def test_no_source_file_is_long() -> None:
    """A file of the package that outgrows the limit is split."""
    lengths = {str(path.relative_to(ROOT)): len(text_of(path).splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_source_folder_is_a_package() -> None:
    """A folder without `__init__.py` would be invisible to the import contracts."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [str(each.relative_to(ROOT)) for each in folders if not (each / "__init__.py").is_file()] == []
