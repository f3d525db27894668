"""Writer of WFDB records: format 16, mV, no identifiers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dyssync.ecg import ECG, LEADS
from dyssync.errors import InputError
from dyssync.whole import whole_file

# Steps of 1 uV: below the 2.5-5 uV of clinical recorders; int16 then spans +-32.7 mV.
WRITE_GAIN = 1000.0


def write_wfdb(ecg: ECG, folder: Path | str, name: str) -> Path:
    """Write `name`.hea and `name`.dat (format 16, mV); return the path of the header.

    A round trip keeps every sample within half a step. The step is 1 uV, or as much more as
    amplitudes above 32.7 mV need. Age and sex are written, identifiers are not.

    Raises:
        InputError: `name` is not made of letters, digits, '-' and '_', or `folder` cannot be
            written to.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InputError(f"record name {name!r}; letters, digits, '-' and '_' are allowed")
    peak = float(np.abs(ecg.signal).max())
    gain = min(WRITE_GAIN, 32767.0 / peak)
    digital = np.rint(ecg.signal.T.astype(np.float64) * gain).astype("<i2")  # (n, 12)
    sums = digital.sum(axis=0, dtype=np.int64) % 65536
    lines = [f"{name} {len(LEADS)} {ecg.fs!r} {len(digital)}{_clock(ecg)}"]
    lines += [
        f"{name}.dat 16 {gain!r}(0)/mV 16 0 {first} {total} 0 {lead}"
        for lead, first, total in zip(LEADS, digital[0], sums, strict=True)
    ]
    if ecg.age is not None:
        lines.append(f"# Age: {ecg.age:g}")
    if ecg.sex is not None:
        lines.append(f"# Sex: {'Female' if ecg.sex == 'F' else 'Male'}")
    header = Path(folder) / f"{name}.hea"
    # side by side, and the header is seen last: a record is there when its header is
    with whole_file(header) as part, whole_file(header.with_suffix(".dat")) as samples:
        part.write_bytes(("\n".join(lines) + "\n").encode())
        samples.write_bytes(digital.tobytes())
    return header


def _clock(ecg: ECG) -> str:
    return f" {ecg.recorded_at:%H:%M:%S %d/%m/%Y}" if ecg.recorded_at else ""
