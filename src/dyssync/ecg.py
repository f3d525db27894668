"""The one type for a 12-lead ECG, and what belongs to leads: order, groups, Einthoven."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dyssync.arrays import Floats
from dyssync.errors import FormatError

Signal: TypeAlias = npt.NDArray[np.float32]
Sex: TypeAlias = Literal["F", "M"]

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LIMB_LEADS = LEADS[:6]
PRECORDIAL_LEADS = LEADS[6:]
LEAD_INDEX: Mapping[str, int] = {lead: i for i, lead in enumerate(LEADS)}

# Limb leads from I and II (Einthoven, Goldberger): rows as in LEADS[2:6], columns I, II.
LIMB_FROM_I_II: Floats = np.array([[-1.0, 1.0], [-0.5, -0.5], [1.0, -0.5], [-0.5, 1.0]])

FS_RANGE = (50.0, 4000.0)  # Hz; below, a notch of 40 ms has fewer than two samples
# A QRS is 0.3-5 mV; artefacts of 20 mV occur in real files (CODE-15), so the limits are on a robust
# amplitude (median over leads of the 1-99 % span) and far from both microvolt and volt.
PLAUSIBLE_SPAN_MV = (0.02, 40.0)
# Electrodes differ by up to 300 mV at rest, which IEC 60601-2-25 asks recorders to bear, and wide
# front ends take 400 mV (2.4 V at a gain of 6, ADS1298). What is beyond is a fill value (netCDF:
# 1e37), overflow, or another unit, and nothing that is computed with it says anything.
LARGEST_SAMPLE_MV = 400.0
SPAN_SAMPLES = 5000  # of a lead tell its span as well as all of a long one
BEAT_SECONDS = (0.2, 5.0)  # recorders store 0.6 to 2.4 s

_LEAD_NAMES = {lead.lower(): lead for lead in LEADS}
_PREFIX = re.compile(r"^(mdc_?ecg_?lead_?|ecg_?|lead[_\s-]*)")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe63\uff0d]")
# A minus belongs to the lead where it starts the name or follows a blank: "-aVR", "Lead -aVR". In
# "Lead-II" and "Lead - II" it only joins. The nomenclature of ISO 11073-10101 has "AVRneg".
_NEGATED = re.compile(
    r"^\(?-\)?\s*(?=[a-z])|(?<=[\s_])\(?-\)?(?=[a-z])"
    r"|\b(?:minus|negative|neg|inverted|inv)\b\.?|(?<=[a-z0-9])[_ ]?(?:neg|inv)$"
)


@dataclass(frozen=True)
class Source:
    """Where an ECG came from: file name (no folders), format name, sha256 of the bytes read."""

    name: str = "memory"
    format: str = "memory"
    sha256: str = ""


@dataclass(frozen=True)
class Doubt:
    """What a check of :mod:`dyssync.signals.plausibility` holds against a recording.

    Attributes:
        name: of the check.
        leads: that it concerns; none where it concerns all.
        sentence: what was found, and what to look at.
        consequence: "refuse": numbers would be wrong, so no ECG is made of it; "withhold": what is
            made of `leads` is not known; "caution": numbers may be wrong.
    """

    name: str
    leads: tuple[str, ...]
    sentence: str
    consequence: Literal["refuse", "withhold", "caution"]


@dataclass(frozen=True, eq=False)
class RepresentativeBeat:
    """The recorder's own typical beat (its median or mean), as the file holds it.

    To be shown beside ours, and compared; nothing is measured on it and no model sees it, for each
    maker averages in a way of its own. Ours is :class:`dyssync.measurements.heartbeat.Heartbeat`.

    Attributes:
        signal: (12, n) float32, mV, read-only; leads as in :data:`LEADS`.
        fs: sampling frequency, 50-4000 Hz; need not be that of the rhythm.

    Raises:
        FormatError: on construction, when it is no finite beat of 0.2 to 5 s.
    """

    signal: Signal
    fs: float

    def __post_init__(self) -> None:
        signal = _own_copy(self.signal)
        if signal.ndim != 2 or signal.shape[0] != len(LEADS):
            raise FormatError(f"beat has shape {signal.shape}; (12, n) is needed, a row a lead")
        if not FS_RANGE[0] <= self.fs <= FS_RANGE[1]:
            raise FormatError(f"sampling rate of the beat is {self.fs:g} Hz; 50 to 4000 Hz needed")
        seconds = signal.shape[1] / self.fs
        if not BEAT_SECONDS[0] <= seconds <= BEAT_SECONDS[1]:
            raise FormatError(f"beat of {seconds:.2f} s; 0.2 to 5 s is needed")
        if not np.isfinite(signal).all():
            raise FormatError("missing values (NaN or infinite) in the beat; none is allowed")
        if np.abs(signal).max() > LARGEST_SAMPLE_MV:
            raise FormatError(f"a sample of the beat is beyond {LARGEST_SAMPLE_MV:g} mV")
        signal.flags.writeable = False
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "fs", float(self.fs))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.signal.flags.writeable = False  # which pickling forgets

    @property
    def seconds(self) -> float:
        """Duration, s."""
        return float(self.signal.shape[1] / self.fs)


@dataclass(frozen=True)
class Shown:
    """What a page shows of an ECG that was read off it (:mod:`dyssync.pages.rebuilding`).

    Attributes:
        columns: leads that were drawn at one time, a tuple each; strips are one of them.
        tied: whether all of them are on one clock, that of a strip or of a single column.
        beats: of each lead, how many whole beats of the usual shape were seen.
        paced_share: 0-1, of the beats of the column that shows most of them, those with a pacing
            spike; in columns that are not tied spikes do not come at one time.
        exact: whether it was drawn in lines, which were read, instead of points of a picture.
    """

    columns: tuple[tuple[str, ...], ...]
    tied: bool
    beats: Mapping[str, int]
    paced_share: float = 0.0
    exact: bool = False

    @property
    def unseen(self) -> tuple[str, ...]:
        """Leads of which no whole beat was seen."""
        return tuple(lead for lead in LEADS if not self.beats.get(lead))


@dataclass(frozen=True, eq=False)
class ECG:
    """A 12-lead ECG: finite, calibrated, leads in the order of :data:`LEADS`.

    Attributes:
        signal: (12, n) float32, mV, read-only.
        fs: sampling frequency, 50-4000 Hz.
        patient_id: the id the user gave (cohort table), else None; never read from a file's header
            unless asked for.
        recorded_at: time of recording, if known.
        age: years, if known.
        sex: "F" or "M", if known.
        source: file name, format and digest.
        clinical: what the cohort table says of the patient, by name.
        doubts: what was found against the recording when it was read; none of it refuses.
        notes: what a reader wants to say (derived leads, machine measurements); text only.
        beat: the recorder's representative beat, where the file holds one; for display beside ours.
        shown: of an ECG that was read off a page, what of it was seen; None for a recording.

    Raises:
        FormatError: on construction, when an invariant does not hold.
    """

    signal: Signal
    fs: float
    patient_id: str | None = None
    recorded_at: datetime | None = None
    age: float | None = None
    sex: Sex | None = None
    source: Source = field(default_factory=Source)
    notes: Mapping[str, str] = field(default_factory=dict)
    beat: RepresentativeBeat | None = None
    clinical: Mapping[str, float] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    shown: Shown | None = None

    def __post_init__(self) -> None:
        signal = _own_copy(self.signal)
        problems = _signal_problems(signal, self.fs)
        if problems:
            raise FormatError("; ".join(problems))
        signal.flags.writeable = False
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "fs", float(self.fs))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.signal.flags.writeable = False  # which pickling forgets

    @property
    def seconds(self) -> float:
        """Duration, s."""
        return float(self.signal.shape[1] / self.fs)

    def __getitem__(self, lead: str) -> Signal:
        """Return one lead, (n,) float32, mV."""
        row: Signal = self.signal[LEAD_INDEX[lead]]
        return row

    @property
    def flat_leads(self) -> tuple[str, ...]:
        """Leads without any variation (electrode off, or a channel that was not recorded)."""
        flat = np.ptp(self.signal, axis=1) == 0
        return tuple(lead for lead, is_flat in zip(LEADS, flat, strict=True) if is_flat)

    @property
    def withheld_leads(self) -> tuple[str, ...]:
        """Leads that contradict others: what is made of them is not known."""
        held = {x for d in self.doubts if d.consequence == "withhold" for x in d.leads}
        return tuple(lead for lead in LEADS if lead in held)


def _own_copy(signal: Signal) -> Signal:
    """Return `signal` as float32 that nobody else can change: copied, unless it is that already."""
    if signal.__class__ is np.ndarray and signal.dtype == np.float32:
        layout = signal.flags
        if layout.owndata and layout.c_contiguous and not layout.writeable:
            return signal
    return np.array(signal, dtype=np.float32, order="C")


def _signal_problems(signal: Signal, fs: float) -> list[str]:
    if signal.ndim != 2 or signal.shape[0] != len(LEADS):
        return [f"signal has shape {signal.shape}; (12, n) is needed, a row a lead"]
    if not FS_RANGE[0] <= fs <= FS_RANGE[1]:
        return [f"sampling rate is {fs:g} Hz; 50 to 4000 Hz is needed. Check the declared rate"]
    if signal.shape[1] < fs:
        return [f"{signal.shape[1] / fs:.2f} s of signal; at least 1 s is needed"]
    bad = ~np.isfinite(signal)
    if bad.any():
        where = ", ".join(LEADS[i] for i in np.flatnonzero(bad.any(axis=1)))
        return [f"{int(bad.sum())} missing values (NaN or infinite) in {where}; none is allowed"]
    step = max(1, signal.shape[1] // SPAN_SAMPLES)
    low, high = np.percentile(signal[:, ::step], (1, 99), axis=1)
    span = float(np.median(high - low))
    if span > PLAUSIBLE_SPAN_MV[1]:
        return [f"typical amplitude {span:.0f} mV; looks like microvolt. Declare the unit (uV)"]
    if 0 < span < PLAUSIBLE_SPAN_MV[0]:
        return [f"typical amplitude {span:.2g} mV; looks like volt. Declare the unit (V)"]
    peaks = np.abs(signal).max(axis=1)
    if peaks.max() > LARGEST_SAMPLE_MV:
        lead = LEADS[int(peaks.argmax())]
        return [
            f"a sample of {peaks.max():.2g} mV in lead {lead}; at most {LARGEST_SAMPLE_MV:g} mV "
            "can be. A mark for missing samples, or a wrong unit? Cut it out"
        ]
    if np.ptp(signal, axis=1).max() == 0:
        return ["all 12 leads are flat; no ECG was recorded"]
    return []


def lead_name(text: str) -> str | None:
    """Return the standard name of a lead written in any usual way, or None; a minus is dropped.

    >>> lead_name("AVR"), lead_name("MDC_ECG_LEAD_V1"), lead_name("Lead II"), lead_name("Vx")
    ('aVR', 'V1', 'II', None)
    """
    return signed_lead(text)[0]


def signed_lead(text: str) -> tuple[str | None, int]:
    """Return the standard name of a lead, and -1 where its column holds the lead upside down.

    >>> signed_lead("-aVR"), signed_lead("MDC_ECG_LEAD_AVRneg"), signed_lead("Lead-II")
    (('aVR', -1), ('aVR', -1), ('II', 1))
    """
    key = _DASHES.sub("-", text.strip(" \t'\"").lower())
    plain = _NEGATED.sub(" ", key)
    name = _PREFIX.sub("", plain.strip()).strip(" _-.:\"'()")
    return _LEAD_NAMES.get(name), 1 if plain == key else -1


def plain_lead_name(text: str) -> str | None:
    """Return the standard name of a lead, with a minus where its column holds it upside down.

    >>> plain_lead_name("Lead -aVR"), plain_lead_name("lead ii"), plain_lead_name("Resp")
    ('-aVR', 'II', None)
    """
    name, sign = signed_lead(text)
    return f"-{name}" if name is not None and sign < 0 else name


def assemble_leads(channels: Mapping[str, npt.ArrayLike]) -> tuple[Signal, tuple[str, ...]]:
    """Put channels of any order and naming into the standard order; derive limb leads.

    Any two of I, II, III determine the six limb leads; at most the chest leads are then missing.

    Args:
        channels: name to samples (n,), mV. Channels that are no standard lead are left out; one
            that is named as negated ("-aVR", Cabrera's order) is turned over.

    Returns:
        The signal, (12, n) float32 mV, and the names of the leads that were derived.

    Raises:
        FormatError: leads are missing or double, or differ in length.
    """
    known: dict[str, Floats] = {}
    for text, samples in channels.items():
        name, sign = signed_lead(text)
        if name is None:
            continue
        if name in known:
            raise FormatError(f"lead {name} is there twice; one of each is needed")
        known[name] = np.asarray(samples, dtype=np.float64)
        if sign < 0:
            known[name] = -known[name]
    if len({len(samples) for samples in known.values()}) > 1:
        lengths = ", ".join(f"{lead} {len(samples)}" for lead, samples in known.items())
        raise FormatError(f"leads differ in length ({lengths} samples); equal lengths are needed")
    found = list(known)
    _add_derived(known)
    missing = [lead for lead in LEADS if lead not in known]
    if missing:
        raise FormatError(
            f"{len(found)} leads ({', '.join(found) or 'none'}), 12 needed; missing "
            f"{', '.join(missing)}. Two of I, II, III and all of V1-V6 give the rest"
        )
    derived = tuple(lead for lead in LEADS if lead not in found)
    signal = np.empty((len(LEADS), len(known["I"])), np.float32)
    for row, lead in zip(signal, LEADS, strict=True):
        row[:] = known[lead]
    signal.flags.writeable = False  # so that ECG need not copy it
    return signal, derived


def _add_derived(known: dict[str, Floats]) -> None:
    if "I" not in known and {"II", "III"} <= known.keys():
        known["I"] = known["II"] - known["III"]
    if "II" not in known and {"I", "III"} <= known.keys():
        known["II"] = known["I"] + known["III"]
    if {"I", "II"} <= known.keys():
        for lead, (from_i, from_ii) in zip(LEADS[2:6], LIMB_FROM_I_II, strict=True):
            if lead not in known:
                known[lead] = from_i * known["I"] + from_ii * known["II"]
