"""Imports go down the floors of the house only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "dyssync"

FLOORS = (
    ("errors", "machine", "registry"),
    ("ecg", "layouts", "clinical"),
    ("signals",),
    (
        "formats",
        "measurements",
        "rendering",
        "simulation",
        "splits",
        "cohort",
        "corpus",
        "facts",
    ),
    ("models", "pretraining"),
    ("explanation", "evaluation", "bundle"),
    ("cautions", "prediction", "study"),
    ("report",),
    ("cli", "web", "__main__"),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
HEAVY = {"torch", "lightgbm", "matplotlib", "monai", "lightning_fabric"}
LIGHT_FLOORS = 3  # floors 0-3 stay free of HEAVY, even inside functions


def imports(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield line, dotted module and whether the import is at the top level."""
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module, id(node) in top
            if node.module == "dyssync":
                for alias in node.names:
                    yield node.lineno, f"dyssync.{alias.name}", id(node) in top


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_the_floors(path: Path) -> None:
    assert room(path) in FLOOR_OF, f"{path.name} is on no floor; add it to FLOORS"
    own = FLOOR_OF[room(path)]
    faults = []
    for line, module, top_level in imports(ast.parse(path.read_text())):
        parts = module.split(".")
        if parts[0] == "dyssync" and len(parts) > 1 and parts[1] in FLOOR_OF:
            other = FLOOR_OF[parts[1]]
            if other > own:
                faults.append(f"{path}:{line}: floor {own} imports {parts[1]} of floor {other}")
        if parts[0] in HEAVY and (own <= LIGHT_FLOORS or (room(path) == "cli" and top_level)):
            faults.append(f"{path}:{line}: {parts[0]} is too heavy for {room(path)}")
    assert not faults, "\n".join(faults)


def test_every_room_of_the_house_is_checked() -> None:
    assert len(modules()) > 10
