"""WFDB records: header, reader, sample formats, writer."""

from dyssync.formats.reading.recording import Format
from dyssync.formats.wfdb.header import sniff
from dyssync.formats.wfdb.reader import read
from dyssync.formats.wfdb.writer import write_wfdb

__all__ = ["FORMAT", "write_wfdb"]

FORMAT = Format(
    name="wfdb",
    description="WFDB record (.hea with .dat or .mat beside it), PhysioNet and CinC challenges",
    suffixes=(".hea",),
    sniff=sniff,
    read=read,
    write=write_wfdb,
)
