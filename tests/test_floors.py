"""Imports go down the house only: one number a room, and no circle between modules."""

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from house import FLOOR_OF, MODULES, PACKAGE, PAGE, ROOMS, imports, modules, room_of, with_rooms

HEAVY = {"torch", "lightgbm", "matplotlib", "monai", "lightning_fabric", "onnx", "onnxruntime"}
LIGHT = ROOMS[: FLOOR_OF["figures"]]  # free of HEAVY, even inside functions
# It opens the networks of others; where a page is read, that takes a tenth of a second more.
ALLOWED = {("inference", "onnxruntime")}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    room = room_of(path)
    assert room in FLOOR_OF, f"{path.name} is in no room; add {room} to ROOMS in tools/house.py"
    faults = []
    for line, module, top_level in imports(path):
        parts = module.split(".")
        other = FLOOR_OF.get(parts[1], -1) if parts[0] == "dyssync" and len(parts) > 1 else -1
        if other > FLOOR_OF[room]:
            faults.append(f"{path}:{line}: {room} imports {parts[1]}, a room above it")
        if (room, parts[0]) in ALLOWED:
            continue
        if parts[0] in HEAVY and (room in LIGHT or (room == "cli" and top_level)):
            faults.append(f"{path}:{line}: {parts[0]} is too heavy for {room}")
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


def test_every_room_is_there_and_on_the_page() -> None:
    assert {room_of(path) for path in modules()} == set(ROOMS)
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_rooms(page), "stale; run python tools/house.py"
