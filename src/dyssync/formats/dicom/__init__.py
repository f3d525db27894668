"""DICOM 12-lead waveforms."""

from dyssync.formats.dicom.reader import FORMAT

__all__ = ["FORMAT"]
