"""Philips Sierra XML."""

from dyssync.formats.reading.recording import Format
from dyssync.formats.sierra_xml.reader import read, sniff

__all__ = ["FORMAT"]

FORMAT = Format(
    name="sierra-xml",
    description="Philips Sierra XML 1.03 to 1.04.02, XLI-compressed or plain",
    suffixes=(".xml",),
    sniff=sniff,
    read=read,
)
