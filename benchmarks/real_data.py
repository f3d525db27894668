"""Where the real ECGs are that the benchmarks read; they are no part of the repository."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

DATA = Path(
    os.environ.get("DYSSYNC_TEST_DATA", Path(__file__).parent.parent.parent / "shared" / "data")
)


def data_option(parser: argparse.ArgumentParser) -> None:
    """Add `--data` to the options."""
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        help="folder that holds ludb, ptbxl, formats, ...; default $DYSSYNC_TEST_DATA or "
        "../shared/data beside the repository",
    )


def ludb_headers(data: Path) -> list[Path]:
    """Return the WFDB headers of LUDB, by number: 200 recordings of 10 s, where all are there."""
    return sorted((data / "ludb" / "records").glob("*.hea"), key=lambda path: int(path.stem))
