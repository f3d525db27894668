"""The rooms of the house: their order, who imports whom, and their table in docs/architecture.md.

    python tools/house.py        writes the table anew

tests/test_floors.py checks that the code and the page say the same.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "dyssync"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: python tools/house.py -->\n", "<!-- end of rooms -->\n"

# From the cellar up: a room imports from rooms before it only, lazily or for types too.
ROOMS = (
    "errors", "registry", "arrays", "spreadsheet", "regular", "whole", "records", "keeping",
    "endings", "workers", "inference",
    "ecg", "image", "layouts",
    "signals", "formats", "measurements", "rendering", "pages", "cohort", "simulation", "figures",
    "learning", "pretraining", "models", "explanation", "evaluation", "prediction",
    "scoring", "inspection",
    "study", "validation", "report", "exports", "web", "cli", "__main__",
)  # fmt: skip
FLOOR_OF = {room: floor for floor, room in enumerate(ROOMS)}


def modules() -> list[Path]:
    """Return all modules of the package but its front door, `dyssync/__init__.py`."""
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    """Return the room that a module stands in."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def dotted(path: Path) -> str:
    """Return the name by which a module is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in modules()}


@cache
def imports(path: Path) -> tuple[tuple[int, str, bool], ...]:
    """Return line, dotted module and whether it is at the top level, of every import."""
    return tuple(_imports(ast.parse(path.read_text(encoding="utf-8"))))


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner in MODULES or node.module == "dyssync"
                yield node.lineno, inner if is_module else node.module, id(node) in top


def rooms_below(room: str) -> list[str]:
    """Return the rooms that a room imports from."""
    found = {
        module.split(".")[1]
        for path in modules()
        if room_of(path) == room
        for _, module, _ in imports(path)
        if module.startswith("dyssync.") and module.split(".")[1] in FLOOR_OF
    }
    return sorted(found - {room}, key=FLOOR_OF.__getitem__)


def what_it_is(room: str) -> str:
    """Return the first line of the room's docstring."""
    home = PACKAGE / room / "__init__.py"
    module = home if home.is_file() else PACKAGE / f"{room}.py"
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].replace("|", "\\|")


def rooms_table() -> str:
    """Return the table of all rooms, Markdown; the highest first."""
    lines = ["| floor | room | what is in it | imports from |", "|---|---|---|---|"]
    for room in reversed(ROOMS):
        below = ", ".join(f"`{name}`" for name in rooms_below(room)) or "nothing"
        lines.append(f"| {FLOOR_OF[room]} | `{room}` | {what_it_is(room)} | {below} |")
    return "\n".join(lines) + "\n"


def with_rooms(page: str) -> str:
    """Return the page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{rooms_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_rooms(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
