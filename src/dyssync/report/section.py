"""What a section of the report is: facts from the results, figures of them, a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from dyssync.figures.plate import Plate
from dyssync.report.overview import Overview

F = TypeVar("F")

Plates: TypeAlias = Mapping[str, Plate]  # by a key that the template knows, such as a model's name


def no_plates(facts: object, study: Overview) -> Plates:
    """Draw nothing: the section is text and tables."""
    return {}


@dataclass(frozen=True)
class Section(Generic[F]):
    """A section of the report; its name in the registry is its anchor in the page.

    Attributes:
        title: heading, also in the contents and in docs/reading-the-report.md.
        template: Jinja source of what stands below the heading. It sees `facts` and `plates` of
            this section, `study` (:class:`Overview`) and the macros of macros.html.j2 as `show`.
        gather: returns all that the section says, before anything is drawn.
        draw: returns the figures of these facts.
    """

    title: str
    template: str
    gather: Callable[[Overview], F]
    draw: Callable[[F, Overview], Plates] = no_plates


def template_beside(module: str) -> str:
    """Return the template that stands beside a section's module (its ``__file__``)."""
    return Path(module).with_suffix(".html.j2").read_text(encoding="utf-8")
