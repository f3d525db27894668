"""What is held of a recording for learning, computed once: signal, beat, measurements, digests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from dyssync.arrays import Bools, Bytes, Ints, Ints16, Singles
from dyssync.cohort.digests import signal_key
from dyssync.cohort.shards import Row
from dyssync.learning.network_input import beat_panel, rhythm_signal
from dyssync.measurements import DEFINITIONS, measure, quality
from dyssync.measurements.waveforms import FS, beat_samples
from dyssync.pretraining.seen import KEY, short_patient_key

STEPS = 1000.0  # of a stored sample in one mV: 1 uV, a fifth of what recorders tell apart
MOST_MV = 32.0  # what stands in 16 bits of it; amplifiers end at 5 to 16 mV
LONGEST_S = 60.0  # chosen: a page shows ten seconds that start within the first ten
PANEL_S = 0.8  # the widest panel of a median beat that is held; others are cut from it
# Quality tells the recorder and the ward, not the heart.
_PHYSIOLOGY = np.array([d not in quality.DEFINITIONS for d in DEFINITIONS])
MEASURED = tuple(d.name for d, held in zip(DEFINITIONS, _PHYSIOLOGY, strict=True) if held)


class SampleFile:
    """The signals of a corpus in a .npy file, read when they are asked for.

    Mapped pages would count as memory of this process, and grow with what was read.

    Args:
        path: of (all samples, 12) int16.
    """

    def __init__(self, path: Path) -> None:
        mapped = np.load(path, mmap_mode="r")
        self.path, self.shape, self.dtype = path, mapped.shape, mapped.dtype
        self.begin = int(mapped.offset)

    def __getitem__(self, rows: slice) -> Ints16:
        """Return the samples from `rows.start` to `rows.stop`, (n, 12)."""
        width = self.shape[1]
        count = (rows.stop - rows.start) * width
        offset = self.begin + rows.start * width * self.dtype.itemsize
        samples: Ints16 = np.fromfile(self.path, self.dtype, count, offset=offset)
        return samples.reshape(-1, width)


@dataclass(frozen=True, eq=False)
class Columns:
    """What is held of n recordings.

    Attributes:
        signals: (all samples, 12) int16 in uV at 250 Hz, filtered; one recording after the other.
        lengths: (n,) samples of each.
        panels: (n, 12, 200) int16 in uV: the median beat as a layout of :data:`PANEL_S` shows it.
        beats: (n, 12, m) float32 mV, see `measurements.waveforms.beat_samples`; NaN without a beat.
        beating: (n,) whether a heartbeat is found.
        measured: (n, len(MEASURED)) float32; NaN where not known.
        hearts: (n, len(HEARTS)) float32; NaN where not known.
        patients: (n, 8) digests of patient ids; zero where there is none.
        recordings: (n, 8) digests of the samples.
    """

    signals: Ints16 | SampleFile
    lengths: Ints
    panels: Ints16
    beats: Singles
    beating: Bools
    measured: Singles
    hearts: Singles
    patients: Bytes
    recordings: Bytes


NAMES = tuple(held.name for held in fields(Columns))


def columns_of(rows: Iterable[Row]) -> Columns:
    """Return what is held of ECGs and their hearts; takes some 40 ms a recording."""
    held: dict[str, list[Any]] = {name: [] for name in NAMES}
    for row in rows:
        for name, value in _held(row).items():
            held[name].append(value)
    join = {name: np.concatenate if name == "signals" else np.stack for name in NAMES}
    return Columns(**{name: join[name](values) for name, values in held.items()})


def _held(row: Row) -> dict[str, Any]:
    ecg = row.ecg
    key = row.digest or signal_key(ecg)
    signal = rhythm_signal(ecg)
    beat, _ = beat_samples(signal)
    shown = signal[:, : round(LONGEST_S * FS)]
    patient = short_patient_key(ecg.patient_id) if ecg.patient_id else bytes(KEY)
    return {
        "signals": _in_steps(shown.T),
        "lengths": np.int64(shown.shape[1]),
        "panels": _in_steps(np.nan_to_num(beat_panel(signal, PANEL_S))),
        "beats": beat.astype(np.float32),
        "beating": np.isfinite(beat).all(),
        "measured": measure(ecg).values[_PHYSIOLOGY].astype(np.float32),
        "hearts": np.asarray(row.heart, np.float32),
        "patients": np.frombuffer(patient, np.uint8),
        "recordings": np.frombuffer(bytes.fromhex(key)[:KEY], np.uint8),
    }


def _in_steps(signal: Singles) -> Ints16:
    steps: Ints16 = np.rint(np.clip(signal, -MOST_MV, MOST_MV) * STEPS).astype(np.int16)
    return steps
