"""Ask a classifier to tell simulated from real ECGs by simple waveform statistics; print its AUROC.

    python scripts/bench_realism.py ../shared/data/ludb/records [--ecgs 320]

0.5 would mean that it cannot. The real ECGs (LUDB: true millivolt, 500 Hz, 10 s) stay outside the
repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import kurtosis, skew
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from dyssync.ecg import ECG, LEADS
from dyssync.formats import read_ecg
from dyssync.signals.beats import detect_beats
from dyssync.signals.filtering import resample
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.recording import FS

BANDS = ((0.1, 0.5), (0.5, 2), (2, 8), (8, 20), (20, 40), (40, 75), (75, 120), (120, 240))  # Hz


def statistics(signal: np.ndarray) -> dict[str, float]:
    """Return simple statistics of a (12, 5000) recording at 500 Hz."""
    found: dict[str, float] = {}
    power = np.abs(np.fft.rfft(signal - signal.mean(axis=1, keepdims=True), axis=1)) ** 2
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
    beats = detect_beats(signal.astype(np.float32), FS)
    intervals = np.diff(beats) / FS if len(beats) > 2 else np.array([np.nan])
    found |= {"rr mean": intervals.mean(), "rr sd": intervals.std()}
    singular = np.linalg.svd(signal, compute_uv=False)
    found |= {f"singular {k}": np.log10(singular[k] / singular[0] + 1e-9) for k in range(1, 8)}
    return found


def real_statistics(folder: Path) -> pd.DataFrame:
    rows = []
    for path in sorted(folder.glob("*.hea")):
        ecg: ECG = read_ecg(path)
        rows.append(statistics(resample(ecg.signal, ecg.fs, FS)[:, :5000].astype(np.float64)))
    return pd.DataFrame(rows)


def simulated_statistics(n: int, seed: int) -> pd.DataFrame:
    rows = []
    for k in range(n):
        rng = patient_rng(seed, k)
        patient = simulate_patient(draw_patient(rng, "archive"), rng, with_response=False)
        rows.append(statistics(patient.signal.astype(np.float64)))
    return pd.DataFrame(rows)


def auroc(table: pd.DataFrame, y: np.ndarray) -> float:
    model = HistGradientBoostingClassifier(max_depth=3, random_state=0)
    p = cross_val_predict(model, table, y, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(y, p))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ecgs", type=int, default=320)
    parser.add_argument("--seed", type=int, default=30)
    args = parser.parse_args()
    real = real_statistics(args.folder)
    simulated = simulated_statistics(args.ecgs, args.seed)
    table = pd.concat([real, simulated], ignore_index=True)
    order = np.random.default_rng(0).permutation(len(table))
    y = np.r_[np.zeros(len(real)), np.ones(len(simulated))][order]
    table = table.iloc[order].reset_index(drop=True)
    print(f"{len(real)} real, {len(simulated)} simulated: AUROC {auroc(table, y):.3f}")
    kinds = pd.Series([name.rsplit(" ", 1)[0] for name in table], index=table.columns)
    for kind, columns in kinds.groupby(kinds).groups.items():
        print(f"  {kind:16} alone {auroc(table[list(columns)], y):.3f}")
    single = {
        name: roc_auc_score(y, table[name].fillna(table[name].median())) for name in table.columns
    }
    worst = sorted(single.items(), key=lambda item: -abs(item[1] - 0.5))[:15]
    for name, value in worst:
        medians = table[name][y == 0].median(), table[name][y == 1].median()
        print(f"  {name:22} {value:.3f}  median real {medians[0]:.3g}, simulated {medians[1]:.3g}")


if __name__ == "__main__":
    main()
