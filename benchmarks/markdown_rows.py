"""Rows of Markdown tables, printed one by one as the numbers come."""

from __future__ import annotations


def row(*cells: object) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def head(*names: str) -> str:
    """Return the two lines on top of a table."""
    return f"{row(*names)}\n{row(*['---'] * len(names))}"
