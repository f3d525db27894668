"""SCP-ECG (EN 1064)."""

from dyssync.formats.scp_ecg.reader import FORMAT

__all__ = ["FORMAT"]
