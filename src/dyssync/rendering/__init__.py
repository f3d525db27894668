"""ECG pictures from signals: fast training views, and pages for people."""

from dyssync.rendering.page import PageOptions, render_page
from dyssync.rendering.paper import STYLES, PaperStyle
from dyssync.rendering.pdf import render_pdf
from dyssync.rendering.png import encode_png
from dyssync.rendering.rendered import LeadBox, Rendered
from dyssync.rendering.vector import render_svg
from dyssync.rendering.view import View, ViewConfig, apply_view, draw_view

__all__ = [
    "STYLES",
    "LeadBox",
    "PageOptions",
    "PaperStyle",
    "Rendered",
    "View",
    "ViewConfig",
    "apply_view",
    "draw_view",
    "encode_png",
    "render_page",
    "render_pdf",
    "render_svg",
]
