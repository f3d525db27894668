"""WFDB records: header, samples, writer."""

from dyssync.formats.wfdb.record import FORMAT, write_wfdb

__all__ = ["FORMAT", "write_wfdb"]
