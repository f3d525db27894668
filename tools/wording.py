"""Which texts of the format readers may quote a file: found in the source, before any file is read.

A damaged file can hold a patient's name anywhere, so no error and no caution of a reader repeats
what it read. `python tools/wording.py` lists what it cannot show to be `dyssync.errors.Words`:
literals, numbers, lengths, and what other `Words` make of them. What is in doubt is listed: the
check errs on the side of the patient.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from wording_scope import OURS, Function, Scope, Signatures, is_words, name_of

READERS = Path(__file__).parent.parent / "src" / "dyssync" / "formats"
REFUSALS = OURS | {"Doubt"}  # wherever they are made; and whatever is raised is a refusal


def texts_of(function: Function, signatures: Signatures) -> Iterator[ast.expr]:
    """Yield what a function refuses with, returns as `Words`, or gives for `Words`."""
    for node in ast.walk(function):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from node.exc.args
        elif isinstance(node, ast.Call):
            yield from signatures.texts(node)
            if name_of(node.func) in REFUSALS:
                yield from (*node.args, *(word.value for word in node.keywords))
        elif isinstance(node, ast.Return) and node.value is not None and is_words(function.returns):
            yield node.value


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """Yield the functions and methods of a module; inner ones belong to theirs."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (one for one in inside if isinstance(one, Function))


def doubtful(sources: dict[str, str]) -> list[str]:
    """Return "place: expression" of each text that may quote a file.

    Args:
        sources: of the readers, by name; a function of one is known in all.
    """
    trees = {name: ast.parse(source) for name, source in sources.items()}
    signatures = Signatures(list(trees.values()))
    found: dict[tuple[str, int], str] = {}
    for name, tree in trees.items():
        for function in functions_of(tree):
            scope = Scope(function, signatures)
            for text in texts_of(function, signatures):
                if not scope.clean(text):
                    found[name, text.lineno] = f"{name}:{text.lineno}: {ast.unparse(text)}"
    return list(found.values())


def readers() -> dict[str, str]:
    """Return the sources of the readers by path."""
    paths = sorted(READERS.rglob("*.py"))
    return {str(path.relative_to(READERS)): path.read_text(encoding="utf-8") for path in paths}


if __name__ == "__main__":
    listed = doubtful(readers())
    print("\n".join(listed))
    sys.exit(bool(listed))
