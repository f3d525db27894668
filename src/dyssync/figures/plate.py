"""Figures as bytes: PNG always, SVG where the figure is vector; as files and as data URIs."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dyssync.figures.palette import STYLE
from dyssync.whole import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CSS_PX_PER_INCH = 96


@dataclass(frozen=True)
class Plate:
    """A finished figure.

    Attributes:
        name: file name without ending.
        alt: what it shows, for readers who cannot see it.
        png: bytes of the PNG file.
        svg: bytes of the SVG file; None where the figure is an image.
        width: natural width, CSS px.
        height: natural height, CSS px.
    """

    name: str
    alt: str
    png: bytes
    svg: bytes | None
    width: int
    height: int

    @property
    def data_uri(self) -> str:
        """The figure itself as an address: the report loads no file."""
        kind, data = ("svg+xml", self.svg) if self.svg is not None else ("png", self.png)
        return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"

    def write(self, folder: Path) -> None:
        """Write the files into `folder`, each whole or not at all.

        Raises:
            InputError: one cannot be written.
        """
        write_bytes(folder / f"{self.name}.png", self.png)
        if self.svg is not None:
            write_bytes(folder / f"{self.name}.svg", self.svg)


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the report's look inside the block, whatever the user's matplotlib settings are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


def finish(figure: Figure, name: str, alt: str, vector: bool = True) -> Plate:
    """Return a drawn figure as bytes; equal figures give equal bytes. Needs `figure_style`."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # both files from one layout, which takes most of the time
    if vector:
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", metadata={"Software": None})
    width, height = figure.get_size_inches()
    return Plate(
        name=name,
        alt=alt,
        png=png.getvalue(),
        svg=svg.getvalue() if vector else None,
        width=round(width * CSS_PX_PER_INCH),
        height=round(height * CSS_PX_PER_INCH),
    )


def file_name(*words: str) -> str:
    """Return a file name of safe characters.

    >>> file_name("roc", "ssl/ResNet 18")
    'roc-ssl_ResNet_18'
    """
    return "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", word)[:60] or "_" for word in words)
