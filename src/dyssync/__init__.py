"""Predict the response to cardiac resynchronization therapy from the 12-lead ECG.

Research use only: dyssync is not a medical device.
"""

from dyssync.ecg import ECG, LEADS

__all__ = ["ECG", "LEADS", "__version__"]
__version__ = "0.1.0"
