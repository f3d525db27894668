"""From an ECG to named numbers: intervals, areas, angles, bundle-branch criteria."""

from dyssync.measurements.measurement import Measurements, measure

__all__ = ["Measurements", "measure"]
