"""`dyssync list`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyssync.errors import check_choice

if TYPE_CHECKING:
    from dyssync.registry import Registry

# Where each kind is kept. Only the asked one is imported: to name formats needs no scikit-learn.
KINDS = {
    "formats": "dyssync.formats:FORMATS",
    "layouts": "dyssync.layouts:LAYOUTS",
    "models": "dyssync.models:MODELS",
    "methods": "dyssync.pretraining:METHODS",
    "metrics": "dyssync.evaluation.metrics:METRICS",
}


def listing(kind: Annotated[str, typer.Argument(help=", ".join(KINDS))]) -> None:
    """List what there is of a kind: formats, layouts, models, methods or metrics.

    Example: dyssync list models
    """
    module, _, name = KINDS[check_choice("kind", kind, KINDS)].partition(":")
    table: Registry[Any] = getattr(importlib.import_module(module), name)
    width = max(len(entry) for entry in table)
    for entry in table:
        # Of the other kinds the entries would have to be imported, and networks take seconds.
        text = table[entry].description if kind == "formats" else ""
        print(f"{entry:{width}}  {text}".rstrip())
