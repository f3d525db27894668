"""The command line: `dyssync VERB`. Heavy libraries load inside the verbs."""

from dyssync.cli.app import main

__all__ = ["main"]
