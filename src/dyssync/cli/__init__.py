"""The command line: `dyssync VERB`. Heavy libraries load inside the verbs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dyssync.cli.exits import Exit
from dyssync.cli.interruption import listening

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    with listening() as heard:
        try:
            from dyssync.cli.app import run  # an interruption may come before all is imported

            code = run(words)
        except KeyboardInterrupt:
            return heard.ended(words)
        except OSError:  # a terminal that is closed takes no last bar
            if heard.number is None:
                raise
            return heard.ended(words)
        ended = code == Exit.INTERRUPTED or (code and heard.number is not None)
        return heard.ended(words) if ended else code
