"""Second half of `make mutate`: changes one operator or number of the engine at a time; lists what no test notices.

Each mutant is written into a copy of the tree, never into the tree itself, and the unit tests of the engine and
the cards run there, then those of whole patients. Comparisons are turned, `and` and `or` and `True` and `False`
swapped, `not` taken away, `+` and `-` swapped, whole numbers raised by one. Property tests run with a fixed seed.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ENGINE = Path("cds_service/engine")
_COPIED = ("cds_service", "cards", "tests", "fhir_samples", "pyproject.toml")
_TESTS = (("tests/unit/engine", "tests/unit/cards"), ("tests/cases", "tests/unit/test_expectations.py"))
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_MOST_SECONDS = 300


class Mutant(NamedTuple):
    """A module in which one thing was changed: its path, the line, what changed, and the new source."""

    path: Path
    line: int
    change: str
    source: str


class _Change(ast.NodeTransformer):
    """Makes the change with the number `wanted` in the order in which the module is walked, if there is one."""

    def __init__(self, wanted: int) -> None:
        """Start counting."""
        self._left = wanted
        self.made: tuple[int, str] | None = None

    def _is_mine(self, node: ast.expr, change: str) -> bool:
        self._left -= 1
        if self._left != -1:
            return False
        self.made = node.lineno, change
        return True

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Turn one comparison."""
        for place, operator in enumerate(node.ops):
            turned = _TURNED[type(operator)]
            if self._is_mine(node, f"{type(operator).__name__} -> {turned.__name__}"):
                node.ops[place] = turned()
        self.generic_visit(node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Swap `and` and `or`."""
        if self._is_mine(node, "and <-> or"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self.generic_visit(node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Take `not` away."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and self._is_mine(node, "not taken away"):
            return node.operand
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Swap `+` and `-`."""
        if isinstance(node.op, ast.Add | ast.Sub) and self._is_mine(node, "+ <-> -"):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Raise a whole number, swap a truth."""
        if isinstance(node.value, bool):
            if self._is_mine(node, f"{node.value} -> {not node.value}"):
                return ast.Constant(not node.value)
        elif isinstance(node.value, int) and self._is_mine(node, f"{node.value} -> {node.value + 1}"):
            return ast.Constant(node.value + 1)
        return node


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of one module, without those in annotations and in its words."""
    source = (ROOT / path).read_text("utf-8")
    wanted = 0
    while True:
        change = _Change(wanted)
        tree = change.visit(ast.parse(source))
        if change.made is None:
            return
        line, words = change.made
        if not source.splitlines()[line - 1].lstrip().startswith(("class ", "@")):
            yield Mutant(path, line, words, ast.unparse(ast.fix_missing_locations(tree)))
        wanted += 1


def is_noticed(mutant: Mutant, tree: Path) -> bool:
    """Whether a test fails, or does not end, with the mutant in place of the module."""
    (tree / mutant.path).write_text(mutant.source, "utf-8")
    try:
        return any(not _holds(tests, tree) for tests in _TESTS)
    finally:
        shutil.copy(ROOT / mutant.path, tree / mutant.path)


def _holds(tests: tuple[str, ...], tree: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0", *tests]
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, timeout=_MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    """Run every mutant and print those that nothing noticed, then their share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules of the engine, e.g. bands; all of them if none")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    names = arguments.modules or sorted(path.stem for path in (ROOT / ENGINE).glob("*.py"))
    mutants = [mutant for name in names for mutant in mutants_of(ENGINE / f"{name}.py")]
    with tempfile.TemporaryDirectory() as scratch:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(arguments.jobs):
            trees.put(_copy(Path(scratch) / str(number)))

        def run(mutant: Mutant) -> bool:
            tree = trees.get()
            try:
                seen = is_noticed(mutant, tree)
            finally:
                trees.put(tree)
            if not seen:
                print(f"{mutant.path}:{mutant.line}: {mutant.change}", flush=True)
            return seen

        with ThreadPoolExecutor(arguments.jobs) as pool:
            noticed = list(pool.map(run, mutants))
    print(f"{noticed.count(False)} of {len(mutants)} mutants were noticed by no test")


def _copy(tree: Path) -> Path:
    tree.mkdir()
    for name in _COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name)
    return tree


if __name__ == "__main__":
    main()
