"""NeuroKit2's marks of many signals, for bench_delineation.py; run where NeuroKit2 is."""

import sys
import time
import warnings

import neurokit2
import numpy as np

KEYS = {
    "p_on": "ECG_P_Onsets",
    "p_off": "ECG_P_Offsets",
    "qrs_on": "ECG_R_Onsets",
    "qrs_off": "ECG_R_Offsets",
    "t_off": "ECG_T_Offsets",
}
# What NeuroKit2 and the libraries under it raise on leads that they cannot delineate.
FAILURES = (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError, RuntimeError)


def lead_marks(lead: np.ndarray, fs: int, method: str) -> dict[str, list[float]]:
    try:
        clean = neurokit2.ecg_clean(lead, sampling_rate=fs)
        _, peaks = neurokit2.ecg_peaks(clean, sampling_rate=fs)
        return neurokit2.ecg_delineate(clean, peaks, sampling_rate=fs, method=method)[1]
    except FAILURES:
        return {}


def main(source: str, target: str, method: str) -> None:
    warnings.simplefilter("ignore")
    signals = np.load(source)
    found: dict[str, np.ndarray] = {}
    spent = 0.0
    for k, fs in enumerate(signals["fs"].tolist()):
        for number, lead in enumerate(signals[f"x{k}"].astype(np.float64)):
            start = time.process_time()
            waves = lead_marks(lead, round(fs), method)
            spent += time.process_time() - start
            for name, key in KEYS.items():
                found[f"{k}_{number}_{name}"] = np.array(waves.get(key, []), dtype=np.float64)
    np.savez(target, seconds=np.array([spent]), **found)


if __name__ == "__main__":
    main(*sys.argv[1:4])
