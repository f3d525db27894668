"""DICOM 12-lead waveforms."""

from dyssync.formats.dicom.reader import read, sniff
from dyssync.formats.dicom.writer import write_dicom
from dyssync.formats.reading.recording import Format

__all__ = ["FORMAT"]

FORMAT = Format(
    name="dicom",
    description="DICOM 12-lead, general and ambulatory ECG waveform",
    suffixes=(".dcm", ".dicom"),
    sniff=sniff,
    read=read,
    write=write_dicom,
)
