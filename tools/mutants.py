"""Change the code at random places and see whether a test notices: `python tools/mutants.py`.

A mutant is one number of a module's constants times 1.5 (whole ones also plus 1), or one comparison
changed (`<` to `<=`, turned round, `==` to `!=`). A module is drawn first, then a place in it, so
that long tables do not crowd out the rest. Each is made in a copy of the tree, one at a time. First
the tests that name the module are run, then those that name its room; with --all, the others and
the slow ones too. What survives is a gap in the tests, or makes no difference (a matter of speed, a
limit that no number meets); which, a person must say.
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
TIMEOUT_S = 1800.0  # for the tests of one mutant; one that never ends is counted apart
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

    def applied(self, data: bytes) -> bytes:
        """Return the changed file."""
        return data[: self.start] + self.new.encode() + data[self.stop :]


def mutants_of(tree: Path, path: Path, rng: np.random.Generator) -> Iterator[Mutant]:
    """Yield one mutant for each place of a file of a tree, as `rng` draws it."""
    data = (tree / path).read_bytes()
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

    module = ast.parse(data)
    for number in _constants(module):
        yield mutant(begin(number), end(number), _other(ast.literal_eval(number), rng))
    for node in ast.walk(module):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, sides[:-1], sides[1:], strict=True):
                kind = type(operator)
                choices = [table[kind] for table in (SWAPPED, TURNED) if kind in table]
                sign = COMPARISON.search(data, end(left), begin(right))
                if choices and sign:
                    yield mutant(*sign.span(), str(rng.choice(choices)))


def _constants(module: ast.Module) -> Iterator[ast.Constant]:
    """Yield the numbers in what a module assigns at its top level."""
    for statement in module.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                    yield node


def _other(value: float, rng: np.random.Generator) -> str:
    """Return another number of the same type, as it is written."""
    larger = type(value)(value * 1.5)
    by_one = larger == value or (isinstance(value, int) and rng.random() < 0.5)
    return repr(value + 1 if by_one else larger)


def draw(tree: Path, n: int, rng: np.random.Generator) -> list[Mutant]:
    """Draw `n` mutants from all over the package, each from a module of its own while they last."""
    files = sorted(path.relative_to(tree) for path in (tree / PACKAGE).rglob("*.py"))
    places = [found for path in files if (found := list(mutants_of(tree, path, rng)))]
    order = np.concatenate([rng.permutation(len(places)) for _ in range(-(-n // len(places)))])
    return [places[k][int(rng.integers(len(places[k])))] for k in order[:n]]


def stages_for(tree: Path, path: Path) -> list[list[str]]:
    """Return what to ask pytest, likely killers first.

    Tests that name the module, and its doctests; those that name its room; the others; slow ones.
    """
    inside = path.relative_to(PACKAGE).with_suffix("").parts
    room, module = inside[0], ".".join(part for part in inside if part != "__init__")
    package, _, stem = f"dyssync.{module}".rpartition(".")
    own = re.compile(rf"dyssync\.{module}\b|from {package} import [^\n]*\b{stem}\b")
    stages: list[list[str]] = [["-m", "not slow"] for _ in range(3)]
    stages[0].append(path.as_posix())
    for file in sorted((tree / "tests").rglob("test_*.py")):
        text = file.read_text()
        rank = 0 if own.search(text) else 1 if re.search(rf"\b{room}\b", text) else 2
        stages[rank].append(file.relative_to(tree).as_posix())
    return [*stages, ["-m", "slow", "tests"]]


def ask(tree: Path, asked: Sequence[str]) -> tuple[str, str]:
    """Run tests in a tree; return what became of the mutant, and the test that noticed.

    Raises:
        RuntimeError: pytest itself could not run.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    given = {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    data = os.environ.get("DYSSYNC_TEST_DATA", str(ROOT.parent / "shared" / "data"))
    # what numba has kept does not know of a number changed in another file
    with tempfile.TemporaryDirectory() as compiled, subprocess.Popen(
        [*command, *asked], cwd=tree, text=True, start_new_session=True,
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
    by = re.search(r"^(?:FAILED|ERROR) ([^\s[]+)", text, re.MULTILINE)  # no parameters
    if by is None:
        raise RuntimeError(text)
    return KILLED, by[1]


def judge(mutant: Mutant, tree: Path, stages: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Try a mutant in a tree, stage after stage of tests; the tree is whole again afterwards.

    Raises:
        RuntimeError: the test that noticed fails without the mutant too.
    """
    target = tree / mutant.path
    whole = target.read_bytes()
    target.write_bytes(mutant.applied(whole))
    outcome, by = SURVIVED, ""
    try:
        for asked in stages:
            if outcome == SURVIVED and len(asked) > 2:  # more than the marks
                outcome, by = ask(tree, asked)
    finally:
        target.write_bytes(whole)
    if outcome == KILLED and ask(tree, [by])[0] != SURVIVED:
        raise RuntimeError(f"{by} fails without any change; mend it first")
    return outcome, by


def main() -> int:
    """Print each mutant with its fate, then how many were killed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("-n", type=int, default=40, help="how many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="ask other rooms and slow tests too")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the list; default: all")
    parser.add_argument("--list", action="store_true", help="only print what would be changed")
    given = parser.parse_args()
    drawn = dict(enumerate(draw(ROOT, given.n, np.random.default_rng(given.seed)), start=1))
    mutants = {k: mutant for k, mutant in drawn.items() if given.only is None or k in given.only}
    if given.list:
        print(*(f"{k:3}  {mutant}" for k, mutant in mutants.items()), sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        fates = []
        for k, mutant in mutants.items():
            stages = stages_for(tree, mutant.path)
            fate, by = judge(mutant, tree, stages if given.all else stages[:2])
            fates.append(fate)
            print(f"{k:3}  {fate:8}  {mutant}  {by}", flush=True)
    print(f"{fates.count(KILLED)} of {len(fates)} killed, {fates.count(ENDLESS)} never ended")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
