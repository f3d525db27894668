"""Writer of WFDB records: format 16 or 32, mV, no identifiers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dyssync.ecg import ECG, LEADS
from dyssync.errors import InputError, Vetted
from dyssync.whole import whole_file

WRITE_GAIN = 1000.0  # steps in one mV: finer than the 2.5-5 uV of clinical recorders
LARGEST_16 = 32767  # steps of format 16; -32768 means that there is no sample


def write_wfdb(ecg: ECG, folder: Path | str, name: Vetted) -> Path:
    """Write `name`.hea and `name`.dat (mV, steps of 1 uV); return the path of the header.

    A round trip keeps every sample within half a step: with a sample beyond 32.767 mV all stand in
    32 bits instead of 16. Age and sex are written, identifiers are not.

    Raises:
        InputError: `name` is not made of letters, digits, '-' and '_', or `folder` cannot be
            written to.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InputError(f"record name {name!r}; letters, digits, '-' and '_' are allowed")
    steps = np.rint(ecg.signal.T.astype(np.float64) * WRITE_GAIN)  # (n, 12)
    code, dtype = ("16", "<i2") if np.abs(steps).max() <= LARGEST_16 else ("32", "<i4")
    digital = steps.astype(dtype)
    sums = digital.sum(axis=0, dtype=np.int64) % 65536
    lines = [f"{name} {len(LEADS)} {ecg.fs!r} {len(digital)}{_clock(ecg)}"]
    lines += [
        f"{name}.dat {code} {WRITE_GAIN!r}(0)/mV {code} 0 {first} {total} 0 {lead}"
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
