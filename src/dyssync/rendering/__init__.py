"""ECG pictures from signals: fast training views, and pages for people."""

from dyssync.rendering.rendered import LeadBox, Rendered
from dyssync.rendering.view import View, ViewConfig, apply_view, draw_view

__all__ = ["LeadBox", "Rendered", "View", "ViewConfig", "apply_view", "draw_view"]
