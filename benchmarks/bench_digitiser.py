"""From pages back to millivolt: pages with known signals, real pages, pages that are none.

    python benchmarks/bench_digitiser.py [--data DIR] [--pages 60] [--only own]

Own pages: our renderer over all layouts, papers and resolutions, clean and worn, and as PDF; what
is measured on them beside the same measured on the recordings. Foreign pages:
30 of another program (ecg-miner), beside what its own digitiser read, and pages that a plotting
library draws. Real pages: scans, prints and photos; there the truth is for the eye.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # as the command line does

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from digitiser_measured import MeasuredPair, measured_pair, tell_measured
from digitiser_pages import TruePage, foreign_pages, own_pages, vector_pages
from digitiser_plots import plotted_pages
from digitiser_scores import PageScore, compare, score_page
from dyssync.errors import InputError
from dyssync.formats import read_input
from dyssync.image import ECGImage
from dyssync.pages.digitising.digitise import digitise
from dyssync.pages.digitising.digitised import Digitised
from real_data import data_option

WEARS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
NONSENSE_DB = 6.0  # below, a reading is nothing to be confident of


@dataclass
class Found:
    """What became of pages: scores and measurements of those that were read, and refusals."""

    scores: list[PageScore] = field(default_factory=list)
    measured: list[MeasuredPair | None] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


def read_one(page: TruePage) -> tuple[PageScore | None, Digitised | str]:
    """Return the score of a page and what was read, or why it was refused."""
    begin = time.perf_counter()
    try:
        read = digitise(page.image)
    except InputError as error:
        return None, str(error)
    return score_page(page, read, time.perf_counter() - begin), read


def score_all(pages: Iterable[TruePage], verbose: bool) -> Found:
    """Return what became of the pages."""
    found = Found()
    for page in pages:
        score, read = read_one(page)
        if score is None or isinstance(read, str):
            found.refusals.append(str(read))
        else:
            found.scores.append(score)
            if page.recording is not None:
                found.measured.append(measured_pair(page.recording, read))
        if verbose:
            print(f"  {page.name:40s} {score if score else read}")
    return found


def tell(title: str, found: Found) -> None:
    """Print one line of a table, and one of what was measured."""
    scores, refusals = found.scores, found.refusals
    total = len(scores) + len(refusals)
    if not scores:
        print(f"{title:28s} {total:4d} pages, all refused")
        return
    snr = np.array([score.snr_kaggle for score in scores])
    cinc = np.array([score.snr_cinc for score in scores])
    print(
        f"{title:28s} {total:4d} pages {len(refusals) / total:5.0%} refused | "
        f"Kaggle dB {np.median(snr):5.1f} p10 {np.quantile(snr, 0.1):5.1f} worst {snr.min():5.1f} |"
        f" CinC dB {np.median(cinc):5.1f} | "
        f"rms uV {np.median([s.rms_uv for s in scores]):5.1f} r "
        f"{np.median([s.correlation for s in scores]):.4f} | "
        f"R, S uV {np.nanmedian([s.r_uv for s in scores]):3.0f} "
        f"{np.nanmedian([s.s_uv for s in scores]):3.0f} | "
        f"layout {np.mean([s.layout_right for s in scores]):4.0%} "
        f"scale {np.mean([s.scale_right for s in scores]):4.0%} | "
        f"pages with swaps {sum(s.swaps > 0 for s in scores)} below {NONSENSE_DB:g} dB "
        f"{int((snr < NONSENSE_DB).sum())} | {np.median([s.seconds for s in scores]):.1f} s"
    )
    tell_measured(found.measured)


def bench_own(data: Path, count: int, verbose: bool) -> None:
    """Our renderer's pages, a line a severity of wear."""
    for wear in WEARS:
        pages = own_pages(data / "ptbxl500", count, wear, seed=int(wear))
        tell(f"own pages, wear {wear:g}", score_all(pages, verbose))


def bench_vector(data: Path, count: int, verbose: bool) -> None:
    """Our renderer's PDF pages, whose lines are read."""
    tell("own PDF pages", score_all(vector_pages(data / "ptbxl500", count), verbose))


def bench_plotted(data: Path, count: int, verbose: bool) -> None:
    """Pages of a plotting library."""
    tell("plotted pages", score_all(plotted_pages(data / "ptbxl500", count), verbose))


def bench_foreign(data: Path, verbose: bool) -> None:
    """The foreign program's pages, and its digitiser on the same."""
    pages = list(foreign_pages(data / "digitising"))
    tell("foreign pages", score_all((page for page, _ in pages), verbose))
    peers = []
    for page, peer in pages:
        read = []
        for part in page.parts:
            start = 0 if part.rhythm else round(part.column * 2.5 * 500)
            read.append(peer[part.lead][start : start + len(part.millivolts)])
        peers.append(compare(page.parts, read))
    snr = np.array([numbers[0] for numbers in peers])
    print(
        f"{'  ecg-miner on the same':28s} {len(peers):4d} pages (layout told) | Kaggle dB "
        f"{np.median(snr):5.1f} p10 {np.quantile(snr, 0.1):5.1f} worst {snr.min():5.1f}"
    )


def bench_real(data: Path) -> None:
    """Scans, prints and photos: what was read or why not, for the eye to judge."""
    for path in sorted((data / "images" / "pages").iterdir()):
        begin = time.perf_counter()
        try:
            image = read_input(path)
            assert isinstance(image, ECGImage)
            read = digitise(image)
        except InputError as error:
            print(f"  {path.name:20s} refused: {error}")
            continue
        quality = read.quality
        print(
            f"  {path.name:20s} {read.layout:12s} {read.scale.speed_mm_s:g} mm/s "
            f"{read.scale.gain_mm_mv:g} mm/mV score {quality.score:.2f} seen {quality.seen:.2f} "
            f"limb {quality.limb_residual:.2f} strip {quality.strip:.2f} names {quality.names:.2f}"
            f" {time.perf_counter() - begin:.1f} s"
        )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    data_option(parser)
    parser.add_argument("--pages", type=int, default=60, help="own pages a severity of wear")
    parser.add_argument(
        "--only", choices=("own", "pdf", "foreign", "plotted", "real"), default=None
    )
    parser.add_argument("--verbose", action="store_true", help="a line a page")
    args = parser.parse_args()
    if args.only in (None, "foreign"):
        bench_foreign(args.data, args.verbose)
    if args.only in (None, "plotted"):
        bench_plotted(args.data, args.pages, args.verbose)
    if args.only in (None, "own"):
        bench_own(args.data, args.pages, args.verbose)
    if args.only in (None, "pdf"):
        bench_vector(args.data, args.pages, args.verbose)
    if args.only in (None, "real"):
        bench_real(args.data)


if __name__ == "__main__":
    main()
