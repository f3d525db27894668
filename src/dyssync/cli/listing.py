"""`dyssync list`."""

from __future__ import annotations

from typing import Annotated

import typer

KINDS = ("formats", "layouts", "models", "methods", "metrics")


def listing(kind: Annotated[str, typer.Argument(help=", ".join(KINDS))]) -> None:
    """List what there is of a kind: formats, layouts, models, methods or metrics.

    Example: dyssync list models
    """
    from dyssync.errors import check_choice
    from dyssync.evaluation.metrics import METRICS
    from dyssync.formats import FORMATS
    from dyssync.layouts import LAYOUTS
    from dyssync.models import MODELS
    from dyssync.pretraining import METHODS
    from dyssync.registry import Registry

    check_choice("kind", kind, KINDS)
    tables: dict[str, Registry[object]] = {
        "formats": FORMATS,  # type: ignore[dict-item]
        "layouts": LAYOUTS,  # type: ignore[dict-item]
        "models": MODELS,  # type: ignore[dict-item]
        "methods": METHODS,  # type: ignore[dict-item]
        "metrics": METRICS,  # type: ignore[dict-item]
    }
    for name in tables[kind]:
        print(name)
