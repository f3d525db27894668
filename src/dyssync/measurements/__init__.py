"""From an ECG to named numbers: intervals, areas, angles, bundle-branch criteria."""

from dyssync.measurements.measurement import DEFINITIONS, Measurements, measure
from dyssync.measurements.quality import lead_quality

__all__ = ["DEFINITIONS", "Measurements", "lead_quality", "measure"]
