"""What happens to paper on its way to us: folds, shadows, pens, lenses, screens, compression."""

from dyssync.rendering.wear.applied import apply_wear
from dyssync.rendering.wear.drawn import MAX_SEVERITY, Wear, draw_wear
from dyssync.rendering.wear.warp import warp_points

__all__ = ["MAX_SEVERITY", "Wear", "apply_wear", "draw_wear", "warp_points"]
