"""What the figures of several sections share: sizes, an empty figure, axes from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Narrow on purpose: a panel keeps readable letters on a phone, and three stand side by side on a
# screen. Inches.
PANEL = (3.3, 3.1)
WIDE = 4.7


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    """Return an empty figure of that size (inches) with one pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def quarters(axes: Axes) -> None:
    """Mark both axes, of shares, at every quarter."""
    axes.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0", "0.25", "0.5", "0.75", "1"))
    axes.set_yticks((0, 0.25, 0.5, 0.75, 1), ("0", "0.25", "0.5", "0.75", "1"))


def in_percent(axis: Axis) -> None:
    """Write the shares of an axis in percent; what is drawn downwards without its sign."""
    axis.set_major_formatter(lambda value, _: f"{100 * abs(value):.0f} %")
