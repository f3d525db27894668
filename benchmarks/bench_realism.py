"""Ask a classifier to tell simulated from real ECGs by simple statistics; print its AUROC.

    python benchmarks/bench_realism.py [--data ../shared/data] [--ecgs 320] [--population wide]

0.5 would mean that it cannot. Real ECGs stay outside the repository: LUDB and raw CinC records in
true millivolt; of PTB-XL, whose voltage was lost, the shape between 2 and 35 Hz alone. What that
classifier makes of LUDB against CinC says how far apart two collections of real ECGs lie. A wide
population is told apart by its width too; what it must do is to cover real ECGs, so the share of
their statistics within its own middle 98 % is printed as well.
"""

# ruff: noqa: E402 - the libraries of NumPy read the number of threads when they are imported
from __future__ import annotations

from dyssync.workers import use_one_thread

use_one_thread()  # on a busy machine the threads of many small fits wait for each other

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kurtosis, skew
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from dyssync.arrays import Floats
from dyssync.ecg import LEADS
from dyssync.errors import InputError
from dyssync.formats import read_ecg
from dyssync.signals.beats import detect_beats
from dyssync.signals.filtering import resample
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import POPULATIONS, Population, draw_patient
from dyssync.simulation.recording import FS
from real_data import data_option

BANDS = ((0.1, 0.5), (0.5, 2), (2, 8), (8, 20), (20, 40), (40, 75), (75, 120), (120, 240))  # Hz


def statistics(signal: Floats) -> dict[str, float]:
    """Return simple statistics of a (12, n) recording at 500 Hz."""
    found: dict[str, float] = {}
    # A Hann window: else a drifting baseline leaks into all bands where the two ends do not meet.
    centred = signal - signal.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred * np.hanning(signal.shape[1]), axis=1)) ** 2
    frequency = np.fft.rfftfreq(signal.shape[1], 1 / FS)
    for lead, row, spectrum in zip(LEADS, signal, power, strict=True):
        low, high = np.percentile(row, (1, 99))
        found |= {
            f"sd {lead}": row.std(),
            f"low {lead}": low,
            f"high {lead}": high,
            f"skew {lead}": skew(row),
            f"kurtosis {lead}": kurtosis(row),
            f"step {lead}": np.abs(np.diff(row)).mean(),
        }
        for a, b in BANDS:
            share = spectrum[(frequency >= a) & (frequency < b)].sum() / spectrum.sum()
            found[f"band {a}-{b} {lead}"] = np.log10(share + 1e-9)
    singular = np.linalg.svd(signal, compute_uv=False)
    found |= {f"singular {k}": np.log10(singular[k] / singular[0] + 1e-9) for k in range(1, 8)}
    return found | rhythm(signal)


def rhythm(signal: Floats) -> dict[str, float]:
    """Return mean and SD of the beats' distances, s; NaN with fewer than three beats."""
    beats = detect_beats(signal.astype(np.float32), FS)
    intervals = np.diff(beats) / FS if len(beats) > 2 else np.array([np.nan])
    return {"rr mean": intervals.mean(), "rr sd": intervals.std()}


def shape_statistics(signal: Floats) -> dict[str, float]:
    """Return statistics that neither a lead's scale nor filters outside 2-40 Hz change."""
    power = np.fft.rfft((signal - signal.mean(axis=1, keepdims=True)), axis=1)
    frequency = np.fft.rfftfreq(signal.shape[1], 1 / FS)
    power[:, (frequency < 2) | (frequency > 35)] = 0
    filtered = np.fft.irfft(power, signal.shape[1], axis=1)[:, 250:-250]  # ends do not meet
    kinds = ("skew", "kurtosis", "band 2-8", "band 8-20", "band 20-40", "rr")
    every = statistics(filtered)
    return {name: value for name, value in every.items() if name.startswith(kinds)}


def read_signals(folder: Path) -> list[Floats]:
    """Return the first 10 s of all WFDB records below `folder` that are as long, at 500 Hz."""
    found = []
    for path in sorted(folder.rglob("*.hea")):
        try:
            ecg = read_ecg(path)
        except InputError as error:
            print(f"  left out: {error}", file=sys.stderr)
            continue
        signal = resample(ecg.signal, ecg.fs, FS)[:, :5000].astype(np.float64)
        if signal.shape[1] == 5000:
            found.append(signal)
    return found


def simulated_signals(n: int, seed: int, population: Population = "archive") -> list[Floats]:
    """Return the recordings of `n` virtual patients, (12, 5000) mV at 500 Hz."""
    signals = []
    for k in range(n):
        rng = patient_rng(seed, k)
        patient = simulate_patient(draw_patient(rng, population), rng, with_response=False)
        signals.append(patient.signal.astype(np.float64))
    return signals


def covered(real: pd.DataFrame, simulated: pd.DataFrame) -> float:
    """Return which share of real statistics lies within the middle 98 % of simulated ones."""
    low, high = simulated.quantile(0.01), simulated.quantile(0.99)
    return float(((real >= low) & (real <= high)).to_numpy().mean())


def auroc(table: pd.DataFrame, y: Floats) -> float:
    """Return how well gradient boosting tells the rows apart, in five parts left out in turn."""
    model = HistGradientBoostingClassifier(max_depth=3, random_state=0)
    p = cross_val_predict(model, table, y, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(y, p))


def compare(names: tuple[str, str], first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Print how well the two are told apart, by which kinds of statistics and which single ones."""
    table = pd.concat([first, second], ignore_index=True)
    order = np.random.default_rng(0).permutation(len(table))
    y = np.r_[np.zeros(len(first)), np.ones(len(second))][order]
    table = table.iloc[order].reset_index(drop=True)
    print(
        f"{len(first)} of {names[0]} and {len(second)} of {names[1]}: AUROC {auroc(table, y):.3f}"
    )
    names_by_kind: dict[str, list[str]] = {}
    for name in table.columns:
        names_by_kind.setdefault(name.rsplit(" ", 1)[0], []).append(name)
    alone = {kind: auroc(table[held], y) for kind, held in sorted(names_by_kind.items())}
    for kind, value in sorted(alone.items(), key=lambda item: -item[1]):
        print(f"  {kind:16} alone {value:.3f}")
    single = {
        name: roc_auc_score(y, table[name].fillna(table[name].median())) for name in table.columns
    }
    worst = sorted(single.items(), key=lambda item: -abs(item[1] - 0.5))[:12]
    for name, value in worst:
        medians = table[name][y == 0].median(), table[name][y == 1].median()
        print(f"  {name:22} {value:.3f}  medians {medians[0]:.3g}, {medians[1]:.3g}")


def main() -> None:
    """Compare every pair of collections, whole and by shape alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    data_option(parser)
    parser.add_argument("--ecgs", type=int, default=320)
    parser.add_argument("--population", choices=POPULATIONS, default="archive")
    parser.add_argument("--seed", type=int, default=30)
    args = parser.parse_args()
    simulated = simulated_signals(args.ecgs, args.seed, args.population)
    ludb = read_signals(args.data / "ludb" / "records")
    cinc = read_signals(args.data / "cinc")
    full = {
        name: pd.DataFrame([statistics(s) for s in signals])
        for name, signals in (("LUDB", ludb), ("CinC", cinc), ("simulated", simulated))
    }
    for pair in (("LUDB", "simulated"), ("CinC", "simulated"), ("LUDB", "CinC")):
        compare(pair, full[pair[0]], full[pair[1]])
    for name in ("LUDB", "CinC"):
        share = covered(full[name], full["simulated"])
        print(f"{share:.1%} of the statistics of {name} lie within the middle 98 % of simulated")
    ptbxl = read_signals(args.data / "ptbxl")[:: max(1, 1442 // args.ecgs)]
    shapes = {
        name: pd.DataFrame([shape_statistics(s) for s in signals])
        for name, signals in (("PTB-XL", ptbxl), ("LUDB", ludb), ("simulated", simulated))
    }
    print("\nshape alone, 2-40 Hz:")
    for pair in (("PTB-XL", "simulated"), ("LUDB", "simulated"), ("PTB-XL", "LUDB")):
        compare(pair, shapes[pair[0]], shapes[pair[1]])


if __name__ == "__main__":
    main()
