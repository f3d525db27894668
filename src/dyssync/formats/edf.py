"""EDF and EDF+ (continuous): reader and writer.

References:
    Kemp B. et al., Electroencephalogr Clin Neurophysiol 1992;82:391 (EDF); Kemp B. and Olivan J.,
    Clin Neurophysiol 2003;114:1755 (EDF+); edfplus.info/specs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyssync.arrays import Floats
from dyssync.ecg import ECG, LEADS, Doubt, plain_lead_name
from dyssync.errors import FormatError, Vetted, Words
from dyssync.formats.reading.demographics import age_between, parse_age, parse_datetime
from dyssync.formats.reading.parsing import called, number
from dyssync.formats.reading.recording import (
    Format,
    InputFile,
    Person,
    ReadOptions,
    Recording,
    check_sample_count,
    factor_to_millivolt,
)
from dyssync.formats.reading.sexes import parse_sex
from dyssync.signals.plausibility.steps import NAME as STEPS
from dyssync.whole import write_bytes

_FIXED = 256  # bytes of the fixed header, and of each signal's description
ENOUGH_ALIKE = 5  # leads
BEYOND_SHARE = 0.01  # of the samples; single ones are artefacts that a writer did not clip
_ANNOTATIONS = "EDF Annotations"
# Name, width of the columns of the signal header, in order.
_COLUMNS = (
    ("label", 16),
    ("transducer", 80),
    ("dimension", 8),
    ("physical_min", 8),
    ("physical_max", 8),
    ("digital_min", 8),
    ("digital_max", 8),
    ("filter", 80),
    ("n_samples", 8),
    ("reserved", 32),
)


@dataclass(frozen=True)
class EDFSignal:
    """One signal of the header; `n_samples` is a data record's."""

    label: str
    n_samples: int
    dimension: str
    physical: tuple[float, float]
    digital: tuple[float, float]


def parse(data: bytes) -> Recording:
    """Read all ECG leads of an EDF file.

    Raises:
        FormatError: a header field is broken, the file is cut short or has gaps (EDF+D).
    """
    if len(data) < _FIXED:
        raise FormatError(f"{len(data)} bytes; an EDF header has at least 512. Truncated?")
    n_signals = _whole(data[252:256], "number of signals")
    n_records = _whole(data[236:244], "number of data records")
    seconds = number(_ascii(data[244:252]), "duration of a data record")
    if not 1 <= n_signals <= 512 or len(data) < _FIXED * (1 + n_signals):
        raise FormatError(f"claims {n_signals} signals, the header is cut short; truncated?")
    signals = _signal_headers(data[_FIXED : _FIXED * (1 + n_signals)], n_signals)
    body = data[_FIXED * (1 + n_signals) :]
    width = sum(signal.n_samples for signal in signals)
    if width <= 0:
        raise FormatError("the data records hold no samples")
    if n_records == -1:  # still being recorded, says the standard: take what is there
        n_records = len(body) // (2 * width)
    check_sample_count(width, n_records)
    if len(body) < 2 * width * n_records:
        have = len(body) // (2 * width)
        raise FormatError(
            f"holds {have:d} data records, the header claims {n_records:d}; truncated?"
        )
    records = np.frombuffer(body, "<i2", width * n_records).reshape(n_records, width)
    if data[192:197] == b"EDF+D":
        _check_no_gaps(records, signals, seconds)
    return _recording(data, signals, records, seconds)


def _check_no_gaps(records: np.ndarray, signals: list[EDFSignal], seconds: float) -> None:
    """Refuse EDF+D whose records do not follow each other; some writers call all files so.

    The first annotation of each record is its start, "+12.5" and then the byte 20.
    """
    column = 0
    for signal in signals:
        if signal.label == _ANNOTATIONS:
            break
        column += signal.n_samples
    else:
        raise FormatError("discontinuous EDF+ (EDF+D) without the times of its records")
    kept = records[:, column : column + signal.n_samples]
    starts = [
        number(_ascii(row.tobytes().split(b"\x14")[0]), f"start of data record {i + 1}")
        for i, row in enumerate(kept)
    ]
    gaps = np.abs(np.diff(starts) - seconds) > 1e-3
    if gaps.any():
        after = int(gaps.argmax()) + 1
        raise FormatError(
            f"discontinuous EDF+ (EDF+D) with a gap after data record {after}; a continuous "
            "recording is needed"
        )


def _recording(
    data: bytes, signals: list[EDFSignal], records: np.ndarray, seconds: float
) -> Recording:
    channels: dict[str, Floats] = {}
    steps: dict[str, float] = {}
    unit = None
    rates = set()
    column = 0
    for signal in signals:
        block = records[:, column : column + signal.n_samples]
        column += signal.n_samples
        name = edf_lead_name(signal.label)
        if name is None:
            continue
        if name in channels:
            raise FormatError(f"{called(name)} is there twice; one of each is needed")
        unit = unit or signal.dimension
        _check_digital(block, signal, name)
        steps[name] = _step(signal, name)
        low = signal.physical[0] * factor_to_millivolt(signal.dimension, called(name))
        channels[name] = (block.reshape(-1).astype(np.float64) - signal.digital[0]) * steps[name]
        channels[name] += low
        rates.add(signal.n_samples)
    if len(rates) > 1:
        raise FormatError("leads have different sampling rates; one rate is needed")
    if seconds <= 0:
        raise FormatError(f"a data record lasts {seconds:g} s; a positive duration is needed")
    fs = next(iter(rates), 0) / seconds
    # The header holds 8 characters of the duration: rates of 0.01 Hz steps survive its rounding.
    if abs(fs - round(fs, 2)) < 2e-6 * fs:
        fs = round(fs, 2)
    leads = {name: s for s in signals if (name := edf_lead_name(s.label)) in channels}
    doubts = _odd_ranges(leads)
    return Recording(channels, fs, _person(data), steps=steps, unit=unit, doubts=doubts)


def _odd_ranges(leads: Mapping[str, EDFSignal]) -> tuple[Doubt, ...]:
    """Return the one lead whose ranges are not like those of all others.

    A writer gives all leads one digital range, and a physical one that lies alike about zero,
    though it may be as wide as the lead.
    """
    kinds = (
        {name: signal.digital for name, signal in leads.items()},
        {name: signal.dimension for name, signal in leads.items()},
        {name: _about_zero(signal) for name, signal in leads.items()},
    )
    for stated in kinds:
        usual, count = Counter(stated.values()).most_common(1)[0] if stated else (None, 0)
        # names of standard leads
        odd: list[Vetted] = [name for name, value in stated.items() if value != usual]
        if len(odd) == 1 and count >= ENOUGH_ALIKE:
            text = f"{odd[0]} has another unit, digital or physical range than the other leads"
            return (Doubt(STEPS, (odd[0],), f"{text}. Check its gain", "withhold"),)
    return ()


def _about_zero(signal: EDFSignal) -> float:
    """Return how the physical range lies about zero: 0 for -5 to 5 mV, 1 for 0 to 10 mV."""
    low, high = signal.physical
    return round((low + high) / (high - low), 3) if high != low else 0.0


def _check_digital(raw: np.ndarray, signal: EDFSignal, name: str) -> None:
    """Refuse samples beyond the digital range: with it, the scale is wrong."""
    low, high = signal.digital
    beyond = float(((raw < low) | (raw > high)).sum()) / max(raw.size, 1)
    if beyond > BEYOND_SHARE:
        raise FormatError(
            f"{called(name)}: {beyond:.0%} of the samples lie beyond the digital range; the range "
            "is wrong, and with it the gain"
        )


def edf_lead_name(label: str) -> str | None:
    """Return the lead that an EDF label means ("ECG I", "EKG V1", "ECG aVR-Ref").

    >>> edf_lead_name("ECG V1"), edf_lead_name("EKG -aVR"), edf_lead_name("EEG Fpz-Cz")
    ('V1', '-aVR', None)
    """
    text = re.sub(r"^(ECG|EKG)(?:\s*-\s+|[\s_]+|-)", "", label.strip(), flags=re.I)
    return plain_lead_name(re.sub(r"[-\s]ref$", "", text, flags=re.I))


def _signal_headers(header: bytes, n_signals: int) -> list[EDFSignal]:
    values: dict[str, list[str]] = {}
    at = 0
    for name, width in _COLUMNS:
        values[name] = [
            _ascii(header[at + i * width : at + (i + 1) * width]) for i in range(n_signals)
        ]
        at += width * n_signals
    signals = []
    for i, label in enumerate(values["label"]):
        signal = f"signal {i + 1}"
        n_samples = _whole(values["n_samples"][i].encode(), f"{signal}: samples a record")
        if n_samples < 0:
            raise FormatError(f"{signal}: {n_samples} samples a record; 0 or more are needed")
        limits = {}
        for key in ("physical_min", "physical_max", "digital_min", "digital_max"):
            text = values[key][i]
            limits[key] = 0.0 if label == _ANNOTATIONS else number(text, f"{signal}: {key}")
        signals.append(
            EDFSignal(
                label,
                n_samples,
                values["dimension"][i],
                (limits["physical_min"], limits["physical_max"]),
                (limits["digital_min"], limits["digital_max"]),
            )
        )
    return signals


def _step(signal: EDFSignal, name: str) -> float:
    """Return mV a step; below zero where the physical range runs down."""
    (digital_low, digital_high), (low, high) = signal.digital, signal.physical
    if digital_high <= digital_low or high == low:
        raise FormatError(
            f"{called(name)}: digital or physical range is empty; its scale is unknown"
        )
    factor = factor_to_millivolt(signal.dimension, called(name))
    return (high - low) / (digital_high - digital_low) * factor


def _person(data: bytes) -> Person:
    """Read the local patient and start fields; EDF+ has 'code sex birthdate name' there."""
    fields = _ascii(data[8:88]).split()
    day, clock = _ascii(data[168:176]), _ascii(data[176:184])
    recorded = None
    start = _ascii(data[88:168]).split()  # EDF+: "Startdate 02-MAR-2002 ...", X where unknown
    exact = start[1].title() if start[:1] == ["Startdate"] and len(start) > 1 else ""
    if parse_datetime(exact) is not None:
        recorded = parse_datetime(exact, clock.replace(".", ":"))
    elif exact != "X" and (match := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", day)):
        year = int(match[3]) + (1900 if int(match[3]) >= 85 else 2000)  # the standard's pivot
        recorded = parse_datetime(f"{year}-{match[2]}-{match[1]}", clock.replace(".", ":"))
    extras = dict(field.split("=", 1) for field in fields if "=" in field)
    birth = parse_datetime(fields[2].title()) if len(fields) > 2 else None
    age = parse_age(extras.get("age"))
    return Person(
        patient_id=fields[0] if fields and fields[0] != "X" else None,
        age=age if age is not None else age_between(birth.date() if birth else None, recorded),
        sex=parse_sex(fields[1]) if len(fields) > 1 else None,
        recorded_at=recorded,
    )


def _ascii(data: bytes) -> str:
    return data.decode("latin-1").strip(" \0")


def _whole(data: bytes, what: Words) -> int:
    value = number(_ascii(data), what)
    if value != int(value):
        raise FormatError(f"{what} is {value:g}; a whole number is needed")
    return int(value)


def sniff(head: bytes, path: Path) -> bool:
    """Say whether `head` is an EDF header: version 0 and a header length that fits."""
    if head[:8] != b"0       " or len(head) < _FIXED:
        return False
    size = _ascii(head[184:192])
    return size.isdigit() and int(size) % _FIXED == 0


def read(file: InputFile, options: ReadOptions) -> Recording:
    """Read an EDF file; see :func:`parse`."""
    return parse(file.data)


def write_edf(ecg: ECG, folder: Path | str, name: str) -> Path:
    """Write `name`.edf (EDF+C layout without annotations); return its path.

    Steps are 1 uV, and 10 or 100 uV in a lead that leaves +-32.767 or +-327.67 mV: EDF has 16 bits.
    """
    steps = np.array([_step_for(float(np.abs(lead).max())) for lead in ecg.signal])  # mV, by lead
    digital = np.rint(ecg.signal.astype(np.float64) / steps[:, None]).astype("<i2")  # (12, n)
    n_samples = digital.shape[1]
    n_records = next(
        (k for k in range(1, 1001) if n_samples % k == 0 and 24 * n_samples // k <= 61440), 1
    )  # 61440 bytes a record is the standard's limit; 24 bytes a sample of 12 leads
    each = n_samples // n_records
    start = ecg.recorded_at
    fixed = (
        ("0", 8),
        (f"X {ecg.sex or 'X'} X X" + (f" age={ecg.age:g}" if ecg.age is not None else ""), 80),
        (f"Startdate {f'{start:%d-%b-%Y}'.upper()} X X X" if start else "Startdate X X X X", 80),
        (f"{start:%d.%m.%y}" if start else "01.01.85", 8),
        (f"{start:%H.%M.%S}" if start else "00.00.00", 8),
        (str(_FIXED * 13), 8),
        ("", 44),
        (str(n_records), 8),
        (f"{each / ecg.fs:.8f}"[:8], 8),
        ("12", 4),
    )
    columns = (
        [f"ECG {lead}" for lead in LEADS],
        *([text] * 12 for text in ("", "mV")),
        *([f"{limit * step:.6g}" for step in steps] for limit in (-32768, 32767)),
        *([text] * 12 for text in ("-32768", "32767", "", str(each), "")),
    )
    header = "".join(text.ljust(width)[:width] for text, width in fixed)
    for (_, width), texts in zip(_COLUMNS, columns, strict=True):
        header += "".join(text.ljust(width)[:width] for text in texts)
    body = digital.reshape(12, n_records, each).transpose(1, 0, 2)  # record, lead, sample
    path = Path(folder) / f"{name}.edf"
    write_bytes(path, header.encode("ascii") + body.tobytes())
    return path


def _step_for(peak: float) -> float:
    """Return the step of a lead, mV, in which 16 bits hold its largest sample."""
    step = 1e-3
    while peak > 32767 * step:
        step *= 10
    return step


FORMAT = Format(
    name="edf",
    description="EDF and EDF+ without gaps",
    suffixes=(".edf",),
    sniff=sniff,
    read=read,
    write=write_edf,
)
