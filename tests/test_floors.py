"""Imports go down the house only: one number a room, and no circle between modules."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "dyssync"

# From the cellar up: a room imports from rooms above it in this list only, lazily or for types too.
ROOMS = (
    "errors", "registry", "arrays", "whole", "records", "keeping", "workers",
    "ecg", "image", "layouts",
    "signals", "formats", "measurements", "rendering", "pages", "cohort", "simulation", "figures",
    "learning", "pretraining", "models", "explanation", "evaluation", "prediction", "inspection",
    "study", "report", "cli", "__main__",
)  # fmt: skip
FLOOR_OF = {room: floor for floor, room in enumerate(ROOMS)}
HEAVY = {"torch", "lightgbm", "matplotlib", "monai", "lightning_fabric"}
LIGHT = ROOMS[: FLOOR_OF["figures"]]  # free of HEAVY, even inside functions


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in modules()}


@cache
def imports(path: Path) -> tuple[tuple[int, str, bool], ...]:
    """Return line, dotted module and whether it is at the top level, of every import."""
    return tuple(_imports(ast.parse(path.read_text())))


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                held = inner if inner in MODULES or node.module == "dyssync" else node.module
                yield node.lineno, held, id(node) in top


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    assert room(path) in FLOOR_OF, f"{path.name} is in no room; add {room(path)} to ROOMS"
    own = FLOOR_OF[room(path)]
    faults = []
    for line, module, top_level in imports(path):
        parts = module.split(".")
        if parts[0] == "dyssync" and len(parts) > 1 and FLOOR_OF.get(parts[1], -1) > own:
            faults.append(f"{path}:{line}: {room(path)} imports {parts[1]}, a room above it")
        if parts[0] in HEAVY and (room(path) in LIGHT or (room(path) == "cli" and top_level)):
            faults.append(f"{path}:{line}: {parts[0]} is too heavy for {room(path)}")
    assert not faults, "\n".join(faults)


def test_no_circle_between_modules() -> None:
    graph = {
        name: {module for _, module, _ in imports(path) if module in MODULES and module != name}
        for name, path in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


def test_every_room_is_there() -> None:
    assert {room(path) for path in modules()} == set(ROOMS)
