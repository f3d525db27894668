"""Signal quality of each lead, and signs of swapped electrodes (f33)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyssync.arrays import Floats, Singles
from dyssync.ecg import ECG, LEAD_INDEX, LEADS, LIMB_LEADS
from dyssync.measurements.axes import frontal_axis_deg
from dyssync.measurements.definitions import Definition
from dyssync.measurements.heartbeat import Heartbeat
from dyssync.measurements.typical import typical_of
from dyssync.signals.delineation import TypicalBeat
from dyssync.signals.filtering import bandpass

FLAT_MV = 0.01  # a recorded lead moves more than this (1-99 % span); amplifiers alone make 0.005
CLIPPED_SHARE = 0.002  # of the samples sit exactly at the lead's extreme for 3 samples and more
SATURATED_SHARE = 0.01  # 10 ms of each of ten beats: the peak itself is cut off
# A lead with one of these says nothing of the heart; what is made of it is missing.
UNUSABLE = ("flat", "saturated", "unreadable")
NOISE_MV = 0.1  # a small square: a P wave is hardly seen in it
WANDER_MV = 0.5  # half a large square
MAINS_MV = 0.05
FLAT_SHARE = 0.05  # of the typical QRS: a lead between the two legs shows no more
SMOOTHER = 0.6  # a swap is suspected when undoing it leaves less of the roughness than this
ST_T = 150  # samples of ST and T that are compared where the end of T is not known
SIGN = {
    "flat": "flat",
    "saturated": "saturated",
    "unreadable": "beats do not repeat (noise above the QRS)",
    "clipped": "clipped",
    "noisy": "noisy",
    "wander": "wander",
    "mains": "mains hum",
}

DEFINITIONS = (
    Definition("f33", "n_beats", "", "beats in the typical beat", "dyssync", needs=()),
    Definition(
        "f33", "snr_db", "dB", "QRS power / beat-to-beat residual, median lead", "dyssync", needs=()
    ),
    Definition("f33", "worst_snr_db", "dB", "the same, worst lead", "dyssync", needs=()),
)


@dataclass(frozen=True)
class LeadQuality:
    """Faults of one lead.

    Attributes:
        lead: name.
        noise_mv: typical distance of single beats from the average (no beats: RMS above 40 Hz).
        wander_mv: 5-95 % span below 0.5 Hz.
        mains_mv: amplitude of the 50 or 60 Hz line, whichever is larger.
        clipped_share: of the samples, those stuck at the extreme.
        faults: names of :data:`SIGN` that apply.
    """

    lead: str
    noise_mv: float
    wander_mv: float
    mains_mv: float
    clipped_share: float
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """Quality of a recording.

    Attributes:
        leads: in the order of :data:`dyssync.ecg.LEADS`.
        swaps: likely electrode swaps, a sentence each.
        swapped: leads that a likely one makes others than their names say.
    """

    leads: tuple[LeadQuality, ...]
    swaps: tuple[str, ...]
    swapped: tuple[str, ...]

    @property
    def unusable(self) -> tuple[str, ...]:
        """Leads that say nothing of the heart."""
        return tuple(x.lead for x in self.leads if set(x.faults) & set(UNUSABLE))

    @property
    def lost(self) -> dict[str, str]:
        """Leads of which nothing can be made: "unusable", or "perhaps swapped"."""
        unusable = dict.fromkeys(self.unusable, "unusable")
        return dict.fromkeys((*self.unusable, *self.swapped), "perhaps swapped") | unusable

    @property
    def cautions(self) -> tuple[str, ...]:
        """One sentence for each kind of fault, with its leads, then the swaps."""
        found = []
        for fault, word in SIGN.items():
            leads = [lead.lead for lead in self.leads if fault in lead.faults]
            if leads:
                found.append(f"{', '.join(leads)}: {word}")
        return (*found, *self.swaps)


def lead_quality(ecg: ECG) -> Quality:
    """Return the quality of each lead of `ecg` and likely electrode swaps."""
    return quality_of(ecg, typical_of(ecg))


def quality_of(ecg: ECG, typical: TypicalBeat | None) -> Quality:
    """Return the quality where the typical beat is known already; None when there is no beat."""
    signal = ecg.signal
    slow = bandpass(signal, ecg.fs, None, 0.5, order=1)
    noise = _fast_noise(ecg) if typical is None else typical.noise
    # every fifth sample tells the span as well as all of them
    span = np.ptp(np.percentile(signal[:, ::5], (1, 99), axis=1), axis=0)
    wander = np.ptp(np.percentile(slow[:, ::5], (5, 95), axis=1), axis=0)
    mains, clipped = _mains_mv(ecg), _clipped_share(signal)
    qrs = None if typical is None else _qrs_mv(typical)
    leads = []
    for i, lead in enumerate(LEADS):
        is_fault = {
            "flat": span[i] < FLAT_MV,
            "saturated": clipped[i] > SATURATED_SHARE and span[i] >= FLAT_MV,
            "unreadable": span[i] >= FLAT_MV and qrs is not None and noise[i] > qrs[i],
            "clipped": SATURATED_SHARE >= clipped[i] > CLIPPED_SHARE and span[i] >= FLAT_MV,
            "noisy": noise[i] > NOISE_MV,
            "wander": wander[i] > WANDER_MV,
            "mains": mains[i] > MAINS_MV,
        }
        faults = tuple(name for name, applies in is_fault.items() if applies)
        leads.append(
            LeadQuality(
                lead, float(noise[i]), float(wander[i]), float(mains[i]), float(clipped[i]), faults
            )
        )
    swaps = {} if typical is None else _swaps(typical)
    wrong = {lead for held in swaps.values() for lead in held}
    return Quality(tuple(leads), tuple(swaps), tuple(lead for lead in LEADS if lead in wrong))


def measure(beat: Heartbeat) -> dict[str, float]:
    """Return number of beats and signal to noise of the typical beat."""
    power = np.square(beat.qrs).mean(axis=1)
    recorded = power > 0
    found = {"n_beats": float(beat.n_beats)}
    if beat.n_beats > 1 and recorded.any():
        residual = np.maximum(np.square(beat.noise[recorded]), 1e-8)
        snr = 10.0 * np.log10(power[recorded] / residual)
        found["snr_db"], found["worst_snr_db"] = float(np.median(snr)), float(snr.min())
    return found


def _qrs_mv(typical: TypicalBeat) -> Floats:
    """RMS of the QRS of each lead about the level before it, mV."""
    qrs = typical.beat.signal[:, typical.marks.qrs_on : typical.marks.qrs_off + 1]
    return np.asarray(np.sqrt(np.square(qrs - qrs[:, :1]).mean(axis=1, dtype=np.float64)))


def _fast_noise(ecg: ECG) -> Floats:
    fast = bandpass(ecg.signal, ecg.fs, 40.0, None) if ecg.fs > 90 else np.diff(ecg.signal, axis=1)
    return np.asarray(np.sqrt(np.square(fast).mean(axis=1, dtype=np.float64)))


def _mains_mv(ecg: ECG) -> Floats:
    """Amplitude of the larger mains line in each lead, by projection on a sine over the record."""
    time = np.arange(ecg.signal.shape[1]) / ecg.fs
    window = np.hanning(len(time))
    best = np.zeros(len(LEADS))
    for line in (50.0, 60.0):
        if ecg.fs > 2 * line + 10:
            sine = window * np.exp(-2j * np.pi * line * time)
            best = np.maximum(best, 2.0 * np.abs(ecg.signal @ sine) / window.sum())
    return best


def _clipped_share(signal: Singles) -> Floats:
    """Share of samples in runs of three and more at the largest or smallest value."""
    share = np.zeros(len(signal))
    for extreme in (signal.max(axis=1), signal.min(axis=1)):
        at = signal == extreme[:, None]
        share += (at[:, :-2] & at[:, 1:-1] & at[:, 2:]).mean(axis=1)
    return share


def _swaps(typical: TypicalBeat) -> dict[str, tuple[str, ...]]:
    """Signs of swapped electrodes in the typical beat (Batchvarov 2007, Europace 9:1081).

    A sentence for each, with the leads it makes unbelievable: swapped arms leave aVF and the chest
    leads. The other signs are too weak for that: an axis of -30 degrees flattens II as well, and
    in LBBB the R progression itself is a step.
    """
    marks, signal = typical.marks, typical.beat.signal.astype(np.float64)
    qrs = signal[:, marks.qrs_on : marks.qrs_off + 1]
    qrs = qrs - qrs[:, :1]
    net = qrs.max(axis=1) + qrs.min(axis=1)
    t_off = marks.qrs_off + ST_T if marks.t_off is None else marks.t_off
    st_t = signal[:, marks.qrs_off : t_off + 1]
    found: dict[str, tuple[str, ...]] = {}
    p = None
    if marks.p_on is not None and marks.p_off is not None:
        part = signal[:, marks.p_on : marks.p_off + 1]
        p = (part - np.linspace(part[:, 0], part[:, -1], part.shape[1], axis=1)).sum(axis=1)
    i, v6 = LEAD_INDEX["I"], LEAD_INDEX["V6"]
    points_right = net[i] < 0 < net[v6] and abs(frontal_axis_deg(net)) > 90
    # the late right forces of RBBB make S waves of both leads, which are alike all the same
    mirrored = _correlation(qrs[i], qrs[v6]) < 0 and _correlation(st_t[i], st_t[v6]) < 0
    if points_right and mirrored and (p is None or p[i] < 0):
        text = "I is inverted against V6: right and left arm may be swapped"
        found[text] = tuple(lead for lead in LIMB_LEADS if lead != "aVF")
    size = np.ptp(qrs, axis=1)
    if 0 < size[LEAD_INDEX["II"]] < FLAT_SHARE * np.median(size):
        found["II is nearly flat: right arm and right leg may be swapped"] = ()
    return found | _precordial_swaps(qrs)


def _correlation(a: Floats, b: Floats) -> float:
    """Return the correlation of two leads; 0 where one of them is flat."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float(a @ b) / size if size > 0 else 0.0


def _precordial_swaps(qrs: Floats) -> dict[str, tuple[str, ...]]:
    """Neighbouring chest leads whose exchange makes the progression clearly smoother."""
    chest = qrs[6:]
    found: dict[str, tuple[str, ...]] = {}

    def roughness(rows: Floats) -> float:
        return float(np.abs(np.diff(rows, n=2, axis=0)).sum())

    before = roughness(chest)
    for k in range(5):
        order = list(range(6))
        order[k], order[k + 1] = order[k + 1], order[k]
        if roughness(chest[order]) < SMOOTHER * before:
            text = f"V{k + 1} and V{k + 2} may be swapped: the R progression reverses there"
            found[text] = ()
    return found
