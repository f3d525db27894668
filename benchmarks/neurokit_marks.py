"""NeuroKit2's marks of many signals, for bench_delineation.py; run where NeuroKit2 is."""

from __future__ import annotations

import sys
import time
import warnings

import neurokit2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]  # dyssync.arrays is not in that environment
KEYS = {
    "p_on": "ECG_P_Onsets",
    "p_off": "ECG_P_Offsets",
    "qrs_on": "ECG_R_Onsets",
    "qrs_off": "ECG_R_Offsets",
    "t_off": "ECG_T_Offsets",
}
# What NeuroKit2 and the libraries under it raise on leads that they cannot delineate.
FAILURES = (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError, RuntimeError)


def lead_marks(lead: Floats, fs: int, method: str) -> dict[str, list[float]]:
    """Return the marks of one lead, samples; none where NeuroKit2 fails."""
    waves: dict[str, list[float]]
    try:
        clean = neurokit2.ecg_clean(lead, sampling_rate=fs)
        _, peaks = neurokit2.ecg_peaks(clean, sampling_rate=fs)
        _, waves = neurokit2.ecg_delineate(clean, peaks, sampling_rate=fs, method=method)
    except FAILURES:
        return {}
    return waves


def main(source: str, target: str, method: str) -> None:
    """Read signals from `source`, write their marks and the processor time to `target`."""
    warnings.simplefilter("ignore")
    signals = np.load(source)
    found: dict[str, Floats] = {}
    spent = 0.0
    for k, fs in enumerate(signals["fs"].tolist()):
        for number, lead in enumerate(signals[f"x{k}"].astype(np.float64)):
            start = time.process_time()
            waves = lead_marks(lead, round(fs), method)
            spent += time.process_time() - start
            for name, key in KEYS.items():
                found[f"{k}_{number}_{name}"] = np.array(waves.get(key, []), dtype=np.float64)
    np.savez(target, allow_pickle=False, seconds=np.array([spent]), **found)


if __name__ == "__main__":
    main(*sys.argv[1:4])
