"""`dyssync list`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyssync.cli.terminal import say
from dyssync.errors import check_choice

if TYPE_CHECKING:
    from dyssync.registry import Registry


# Only what is asked for is imported: to name formats needs no scikit-learn.
def _formats() -> Registry[Any]:
    from dyssync.formats import FORMATS

    return FORMATS


def _layouts() -> Registry[Any]:
    from dyssync.layouts import LAYOUTS

    return LAYOUTS


def _models() -> Registry[Any]:
    from dyssync.models import MODELS

    return MODELS


def _methods() -> Registry[Any]:
    from dyssync.pretraining import METHODS

    return METHODS


def _metrics() -> Registry[Any]:
    from dyssync.evaluation.metrics import METRICS

    return METRICS


KINDS: dict[str, Callable[[], Registry[Any]]] = {
    "formats": _formats,
    "layouts": _layouts,
    "models": _models,
    "methods": _methods,
    "metrics": _metrics,
}


def listing(kind: Annotated[str, typer.Argument(help=", ".join(KINDS))]) -> None:
    """List what there is of a kind: formats, layouts, models, methods or metrics.

    Example: dyssync list models
    """
    table = KINDS[check_choice("kind", kind, KINDS)]()
    width = max(len(name) for name in table)
    for name in table:
        # Of the other kinds the entries would have to be imported, and networks take seconds.
        text = table[name].description if kind == "formats" else ""
        say(f"{name:{width}}  {text}".rstrip())
