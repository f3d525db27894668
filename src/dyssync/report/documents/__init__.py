"""Texts beside the report that papers and users ask for, filled as far as the run knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dyssync.report.documents.methods import methods_text
from dyssync.report.documents.model_card import model_card
from dyssync.report.documents.tripod import tripod_checklist
from dyssync.report.overview import Overview

# file -> what writes its text, Markdown
DOCUMENTS: Mapping[str, Callable[[Overview], str]] = {
    "tripod.md": tripod_checklist,
    "model_card.md": model_card,
    "methods.md": methods_text,
}
