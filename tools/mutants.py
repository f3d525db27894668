"""Change the code at random places and see whether a test notices: `python tools/mutants.py`.

A mutant is one number of a module's constants times 1.5 (whole ones also plus 1), or one comparison
changed (`<` to `<=`, turned round, `==` to `!=`). A module is drawn first, then a place in it, so
that long tables do not crowd out the rest. Each is made in a copy of the tree, one at a time. First
the tests that name the module are run, then those that name its room; with --all, the others too.
Tests marked slow are left out. What survives is a gap in the tests, or makes no difference (a
matter of speed, a limit that no number meets); which, a person must say.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
PACKAGE = Path("src/dyssync")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "build", "dist", "*.egg-info")
TIMEOUT_S = 1200.0  # for the tests of one mutant; one that never ends is counted apart
SWAPPED = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}  # the limit itself
TURNED = {ast.Lt: ">", ast.LtE: ">=", ast.Gt: "<", ast.GtE: "<=", ast.Eq: "!=", ast.NotEq: "=="}
COMPARISON = re.compile(rb"[<>=!]=|[<>]")
KILLED, SURVIVED, ENDLESS = "killed", "survived", "endless"


@dataclass(frozen=True)
class Mutant:
    """One change: the bytes `start` to `stop` of a file, path from the root, become `new`."""

    path: Path
    line: int
    start: int
    stop: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.line}  {self.old} -> {self.new}"

    def source(self) -> bytes:
        """Return the changed file."""
        data = (ROOT / self.path).read_bytes()
        return data[: self.start] + self.new.encode() + data[self.stop :]


def mutants_of(path: Path, rng: np.random.Generator) -> Iterator[Mutant]:
    """Yield one mutant for each place of a file, as `rng` draws it."""
    data = (ROOT / path).read_bytes()
    starts = [0, *accumulate(len(line) for line in data.splitlines(keepends=True))]

    def begin(node: ast.expr) -> int:
        return starts[node.lineno - 1] + node.col_offset

    def end(node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return starts[node.end_lineno - 1] + node.end_col_offset

    def mutant(start: int, stop: int, new: str) -> Mutant:
        line = data.count(b"\n", 0, start) + 1
        return Mutant(path, line, start, stop, data[start:stop].decode(), new)

    tree = ast.parse(data)
    for number in _constants(tree):
        yield mutant(begin(number), end(number), _other(ast.literal_eval(number), rng))
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, sides[:-1], sides[1:], strict=True):
                kind = type(operator)
                choices = [table[kind] for table in (SWAPPED, TURNED) if kind in table]
                sign = COMPARISON.search(data, end(left), begin(right))
                if choices and sign:
                    yield mutant(*sign.span(), str(rng.choice(choices)))


def _constants(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the numbers in what a module assigns at its top level."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                    yield node


def _other(value: float, rng: np.random.Generator) -> str:
    """Return another number of the same type, as it is written."""
    larger = type(value)(value * 1.5)
    by_one = larger == value or (isinstance(value, int) and rng.random() < 0.5)
    return repr(value + 1 if by_one else larger)


def draw(n: int, rng: np.random.Generator) -> list[Mutant]:
    """Draw `n` mutants from all over the package, each from a module of its own while they last."""
    files = sorted(path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*.py"))
    places = [found for path in files if (found := list(mutants_of(path, rng)))]
    order = np.concatenate([rng.permutation(len(places)) for _ in range(-(-n // len(places)))])
    return [places[k][int(rng.integers(len(places[k])))] for k in order[:n]]


def tests_for(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the tests that name the module (and its doctests), those of its room, the others."""
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    room, module = inside[0], ".".join(part for part in inside if part != "__init__")
    package, _, stem = f"dyssync.{module}".rpartition(".")
    own = re.compile(rf"dyssync\.{module}\b|from {package} import [^\n]*\b{stem}\b")
    named: tuple[list[str], list[str], list[str]] = ([path.as_posix()], [], [])
    texts = {file: file.read_text() for file in sorted((ROOT / "tests").rglob("test_*.py"))}
    # those that need a whole study last
    for file, text in sorted(texts.items(), key=lambda item: "finished_run" in item[1]):
        rank = 0 if own.search(text) else 1 if re.search(rf"\b{room}\b", text) else 2
        named[rank].append(file.relative_to(ROOT).as_posix())
    return named


def ask(tree: Path, tests: Sequence[str]) -> tuple[str, str]:
    """Run tests in a tree; return what became of the mutant, and the test that noticed.

    Raises:
        RuntimeError: pytest itself could not run.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    given = {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    data = os.environ.get("DYSSYNC_TEST_DATA", str(ROOT.parent / "shared" / "data"))
    # what numba has kept does not know of a number changed in another file
    with tempfile.TemporaryDirectory() as compiled, subprocess.Popen(
        [*command, "-m", "not slow", *tests], cwd=tree, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **given, "DYSSYNC_TEST_DATA": data, "NUMBA_CACHE_DIR": compiled},
    ) as process:  # fmt: skip
        try:
            text, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return ENDLESS, ""
    if process.returncode in (0, 5):  # 5: not one test
        return SURVIVED, ""
    if process.returncode not in (1, 2):  # 2: a module could not be imported
        raise RuntimeError(text)
    by = re.search(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
    return KILLED, by[1] if by else "import"


def judge(mutant: Mutant, tree: Path, *, every: bool) -> tuple[str, str]:
    """Try a mutant in `tree`, a copy of the root, which is whole again afterwards."""
    stages = tests_for(mutant.path)[: 3 if every else 2]
    target = tree / mutant.path
    target.write_bytes(mutant.source())
    try:
        for tests in stages:
            outcome, by = ask(tree, tests) if tests else (SURVIVED, "")
            if outcome != SURVIVED:
                return outcome, by
    finally:
        shutil.copyfile(ROOT / mutant.path, target)
    return SURVIVED, ""


def main() -> int:
    """Print each mutant with its fate, then how many were killed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-n", type=int, default=40, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="ask the tests of other rooms too")
    parser.add_argument("--list", action="store_true", help="only print what would be changed")
    given = parser.parse_args()
    mutants = draw(given.n, np.random.default_rng(given.seed))
    if given.list:
        print(*mutants, sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        stages = 3 if given.all else 2
        asked = {test for m in mutants for tests in tests_for(m.path)[:stages] for test in tests}
        outcome, by = ask(tree, sorted(asked))
        if outcome != SURVIVED:
            print(f"{by} fails without any change ({outcome}); mend it first", file=sys.stderr)
            return 2
        fates = []
        for mutant in mutants:
            fate, by = judge(mutant, tree, every=given.all)
            fates.append(fate)
            print(f"{fate:8}  {mutant}  {by}", flush=True)
    print(f"{fates.count(KILLED)} of {len(fates)} killed, {fates.count(ENDLESS)} never ended")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
