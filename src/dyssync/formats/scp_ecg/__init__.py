"""SCP-ECG (EN 1064)."""

from dyssync.formats.reading.recording import Format
from dyssync.formats.scp_ecg.reader import read, sniff

__all__ = ["FORMAT"]

FORMAT = Format(
    name="scp-ecg",
    description="SCP-ECG (EN 1064): Huffman tables, differences, reference beats",
    suffixes=(".scp",),
    sniff=sniff,
    read=read,
)
