"""What is found in one ECG: measured, checked lead by lead, beside what its recorder says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from dyssync.ecg import ECG
from dyssync.errors import FormatError
from dyssync.formats.reading.recorder_notes import LABELS
from dyssync.image import ECGImage
from dyssync.inspection.recorder_beat import LaidOn, laid_on
from dyssync.keeping import keeping
from dyssync.measurements.heartbeat import Heartbeat, from_typical_beat
from dyssync.measurements.measurement import Measurements, measure
from dyssync.measurements.quality import Quality, quality_of
from dyssync.measurements.typical import typical_of
from dyssync.pages.evidence import check_is_ecg_page
from dyssync.pages.one_lead import ONE_LEAD, shows_one_lead
from dyssync.signals import plausibility
from dyssync.signals.delineation import TypicalBeat
from dyssync.signals.plausibility import stretches

# Title, unit, our measurement, key of what the recorder printed.
COMPARED = (
    ("heart rate", "/min", "heart_rate_bpm", "rate"),
    ("PR", "ms", "pr_ms", "pr"),
    ("QRS", "ms", "qrs_duration_ms", "qrs"),
    ("QT", "ms", "qt_ms", "qt"),
    ("QTc (Bazett)", "ms", "qtc_bazett_ms", "qtc"),
    ("P axis", "deg", "p_axis_deg", "p_axis"),
    ("QRS axis", "deg", "qrs_axis_deg", "qrs_axis"),
    ("T axis", "deg", "t_axis_deg", "t_axis"),
)
# Title, unit, our measurement; of these a recorder prints nothing.
OWN = (
    ("QRS area", "uVs", "qrs_area_uvs"),
    ("T area", "uVs", "t_area_uvs"),
    ("QRS-T angle", "deg", "qrs_t_angle_deg"),
    ("R peak in V6", "ms", "r_peak_ms_V6"),
    ("lateral - septal delay", "ms", "lateral_delay_ms"),
    ("leads with mid-QRS notch", "", "mid_notch_leads"),
)
# Title and unit by measurement, of the main ones.
SHOWN_AS: Mapping[str, tuple[str, str]] = {
    name: (title, unit) for title, unit, name, *_ in (*COMPARED, *OWN)
}
CHECKED = (stretches.NAME, *plausibility.CHECKS)
QRS_APART_MS = 20.0  # from the recorder's; half a small square on paper
SAME_BEAT = 0.9  # correlation; 0.987 and more in ten real files, 0.34 where the beat is another's


@dataclass(frozen=True, eq=False)
class Findings:
    """An ECG and all that was found in it.

    Attributes:
        ecg: the recording.
        measurements: of its typical beat.
        quality: of each lead.
        heartbeat: the typical beat, None where no beat was found.
        recorders_beat: the recorder's beat laid on ours, None where one of the two is missing.
        typical: the typical beat before it was named, with the marks of all beats; None likewise.
    """

    ecg: ECG
    measurements: Measurements
    quality: Quality
    heartbeat: Heartbeat | None
    recorders_beat: LaidOn | None
    typical: TypicalBeat | None

    @property
    def recorder(self) -> dict[str, str]:
        """What the recorder measured and stated, by key of `recorder_notes.LABELS`."""
        notes = self.ecg.notes
        return {key: notes[label] for key, label in LABELS.items() if label in notes}

    @property
    def other_notes(self) -> dict[str, str]:
        """Notes of the reader that are no measurements."""
        own = set(LABELS.values())
        return {key: text for key, text in self.ecg.notes.items() if key not in own}

    @property
    def checks(self) -> dict[str, list[str]]:
        """What each check of the gate holds against the recording, by its name; mostly nothing."""
        return {
            name: [doubt.sentence for doubt in self.ecg.doubts if doubt.name == name]
            for name in CHECKED
        }

    @property
    def cautions(self) -> list[str]:
        """Those of the measurements, and what differs much from the recorder's."""
        extra = []
        ours = self.measurements["qrs_duration_ms"]
        theirs = _number(self.recorder.get("qrs", ""))
        if abs(ours - theirs) > QRS_APART_MS:
            extra = [
                f"QRS {ours:.0f} ms, the recorder says {theirs:.0f} ms: look at the marks "
                "(--beat beat.png)"
            ]
        laid = self.recorders_beat
        if laid is not None and laid.correlation < SAME_BEAT:
            extra.append(
                f"the recorder's beat is not like those of this ECG (correlation "
                f"{laid.correlation:.2f}): of another recording? (--beat beat.png)"
            )
        return [*self.measurements.cautions, *extra]

    def to_dict(self) -> dict[str, object]:
        """Return all of it as JSON can hold it; NaN becomes None."""
        ecg = self.ecg
        leads = [
            {
                **asdict(lead),
                "lowest_mv": float(ecg[lead.lead].min()),
                "highest_mv": float(ecg[lead.lead].max()),
            }
            for lead in self.quality.leads
        ]
        return {
            "file": ecg.source.name,
            "format": ecg.source.format,
            "sha256": ecg.source.sha256,
            "fs": ecg.fs,
            "seconds": ecg.seconds,
            "age": ecg.age,
            "sex": ecg.sex,
            "recorded_at": None if ecg.recorded_at is None else ecg.recorded_at.isoformat(),
            "patient_id": ecg.patient_id,
            "notes": self.other_notes,
            "recorder": self.recorder,
            "recorder_beat": _beat_facts(self),
            "checks": self.checks,
            "leads": leads,
            "swaps": list(self.quality.swaps),
            **measured_facts(self.measurements),
            "cautions": self.cautions,
        }


def examine(ecg: ECG) -> Findings:
    """Return what is found in `ecg`; its typical beat is computed once for all of it."""
    with keeping():
        typical, found = typical_of(ecg), measure(ecg)
    beat = None if typical is None else from_typical_beat(typical, ecg.sex, ecg.age)
    return Findings(
        ecg,
        found,
        quality_of(ecg, typical),
        beat,
        None if beat is None else laid_on(ecg, beat),
        typical,
    )


def measured_facts(found: Measurements) -> dict[str, object]:
    """Return measurements, answers with their reasons, and cautions; NaN becomes None for JSON."""
    answers = {
        name: {"answer": one.word, "reasons": list(one.reasons)}
        for name, one in found.answers.items()
    }
    values = {name: None if math.isnan(v) else v for name, v in found.as_dict().items()}
    return {"measurements": values, "answers": answers, "cautions": list(found.cautions)}


def picture_facts(image: ECGImage) -> dict[str, object]:
    """Return what can be said of a picture, as JSON can hold it."""
    height, width = image.pixels.shape[:2]
    return {
        "file": image.source.name,
        "format": image.source.format,
        "sha256": image.source.sha256,
        "width_px": width,
        "height_px": height,
        "notes": dict(image.notes),
        "cautions": page_cautions(image),
    }


def page_facts(image: ECGImage, found: Findings | None) -> dict[str, object]:
    """Return what can be said of a picture and of the ECG that it shows, as JSON can hold it.

    Args:
        image: after :func:`dyssync.pages.reading_off.read_off`.
        found: in the ECG that was read off it; None where none was.
    """
    facts = picture_facts(image)
    if found is None or found.ecg.shown is None:
        return {**facts, "page": None, "unread": image.unread}
    page = {"told": found.ecg.notes["page"], **asdict(found.ecg.shown)}
    measured = measured_facts(found.measurements)
    return {**facts, "page": page, **measured, "cautions": [*page_cautions(image), *found.cautions]}


def page_cautions(image: ECGImage) -> list[str]:
    """Return what speaks against scoring a picture, a sentence each."""
    try:
        check_is_ecg_page(image.pixels)
    except FormatError as error:
        return [str(error)]
    return [ONE_LEAD] if shows_one_lead(image.pixels) else []


def _beat_facts(found: Findings) -> dict[str, float | None] | None:
    beat, laid = found.ecg.beat, found.recorders_beat
    if beat is None:
        return None
    return {
        "fs": beat.fs,
        "seconds": beat.seconds,
        "qrs_correlation": None if laid is None else laid.correlation,
        "qrs_difference_mv": None if laid is None else laid.difference_mv,
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
