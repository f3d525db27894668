"""Philips Sierra XML."""

from dyssync.formats.sierra_xml.reader import FORMAT

__all__ = ["FORMAT"]
