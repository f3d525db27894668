"""The report of a study: numbers, then figures, then one offline HTML file."""

from dyssync.report.document import write_report

__all__ = ["write_report"]
