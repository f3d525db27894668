"""Measurements of what a page shows: as on the recording, or not known and why."""

from dataclasses import replace

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.errors import FormatError
from dyssync.image import ECGImage
from dyssync.layouts import LAYOUTS
from dyssync.measurements import Measurements, measure
from dyssync.pages.digitising.digitise import digitise
from dyssync.pages.digitising.digitised import Digitised, Geometry, Part, Quality, Scale
from dyssync.pages.rebuilding.beats import Beats, settled
from dyssync.pages.rebuilding.recording import recording_of
from dyssync.rendering import render_page
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient

FS = 500.0


@pytest.fixture(scope="module")
def hearts() -> list[ECG]:
    """Recordings of virtual hearts with wide QRS, at the rate of what is read off pages."""
    found = []
    for number in range(4):
        rng = patient_rng(11, number)
        found.append(ECG(simulate_patient(draw_patient(rng), rng).signal, FS, sex="F", age=60.0))
    return found


def shown_on(ecg: ECG, layout: str, *, at_once: bool = False) -> Digitised:
    """Return what a page shows, read without any error; `at_once`: every column from 0 s on."""
    page = LAYOUTS[layout]
    width = round(page.seconds * FS)
    parts = []
    for panel in page.panels:
        start = 0 if panel.rhythm or at_once else panel.column * width
        values = ecg[panel.lead][start : start + width * (page.n_columns if panel.rhythm else 1)]
        parts.append(
            Part(
                panel.lead, panel.row, panel.column, panel.rhythm,
                0.0 if panel.rhythm else panel.column * page.seconds,
                (values - np.median(values)).astype(np.float32),
                np.ones(len(values), np.float32), np.zeros((len(values), 2), np.float32),
            )
        )  # fmt: skip
    return Digitised(
        tuple(parts), FS, layout, Scale(25.0, 10.0, "stated", "stated"),
        Geometry((8.0, 8.0), 0.0, 0.0, 1.0),
        Quality(seen=1.0, crowded=0.0, limb_residual=0.0, strip=1.0, names=1.0, score=1.0), (),
    )  # fmt: skip


def measured_on(read: Digitised, ecg: ECG) -> Measurements:
    return measure(replace(recording_of(read), age=ecg.age, sex=ecg.sex))


@pytest.mark.parametrize("layout", ["3x4+II", "3x4", "6x2", "4x3"])
def test_a_page_says_what_the_recording_says(hearts: list[ECG], layout: str) -> None:
    for ecg in hearts:
        true, found = measure(ecg), measured_on(shown_on(ecg, layout), ecg)
        assert found["qrs_duration_ms"] == pytest.approx(true["qrs_duration_ms"], abs=12)
        assert found["qrs_area_uvs"] == pytest.approx(true["qrs_area_uvs"], rel=0.08)
        assert abs((found["qrs_axis_deg"] - true["qrs_axis_deg"] + 180) % 360 - 180) < 8
        assert found["heart_rate_bpm"] == pytest.approx(true["heart_rate_bpm"], rel=0.03)
        if not true.answers["paced"].value:  # three leads do not always show the spikes
            assert found.answers["lbbb_esc"].value == true.answers["lbbb_esc"].value
            assert found.answers["paced"].value is None


def test_leads_shown_whole_and_together_are_measured_as_they_are(hearts: list[ECG]) -> None:
    for ecg in hearts:
        true, found = measure(ecg), measured_on(shown_on(ecg, "12x1"), ecg)
        held = set(found.withheld)
        assert all(
            name.startswith(("notches_", "fqrs", "paced")) for name in held
        )  # a picture is coarse
        for name in set(found) - held:
            assert found[name] == pytest.approx(true[name], rel=1e-3, abs=5e-3, nan_ok=True), name


def test_what_compares_columns_needs_a_strip_that_ties_them(hearts: list[ECG]) -> None:
    ecg = hearts[0]
    tied = measured_on(shown_on(ecg, "3x4+II"), ecg)
    assert np.isfinite(tied["lateral_delay_ms"])
    assert tied["lateral_delay_ms"] == pytest.approx(measure(ecg)["lateral_delay_ms"], abs=4)
    # a strip under columns that all begin at 0 s says nothing of when their beats came
    for read in (shown_on(ecg, "3x4"), shown_on(ecg, "3x4+II", at_once=True)):
        loose = measured_on(read, ecg)
        assert np.isnan([loose["lateral_delay_ms"], loose["rr_irregularity"]]).all()
        assert loose.answers["atrial_fibrillation"].value is None
        assert "no rhythm strip ties" in loose.withheld["lateral_delay_ms"]
        assert loose["qrs_area_uvs"] == pytest.approx(measure(ecg)["qrs_area_uvs"], rel=0.08)
    # chest leads of one column need none
    assert np.isfinite(measured_on(shown_on(ecg, "6x2"), ecg)["lateral_delay_ms"])


@pytest.mark.parametrize(
    ("at", "kinds", "usual"),
    [
        ([300, 620], [0, 1], [300]),  # the second comes early
        ([300, 1000], [0, 1], [1000]),  # the second comes after a pause, so the first came early
        ([100, 600, 900], [1, 1, 0], [100, 600]),
        ([100, 600, 1100], [0, 0, 0], [100, 600, 1100]),
    ],
)
def test_an_early_beat_of_a_short_column_is_not_taken_for_the_usual_one(
    at: list[int], kinds: list[int], usual: list[int]
) -> None:
    # the most frequent kind is 0; where two are as frequent, which one is 0 is chance
    most = np.bincount(kinds).argmax()
    ranked = [0 if kind == most else 1 for kind in kinds]
    beats = Beats(np.array(at), np.array(ranked), np.zeros(len(at), np.bool_))
    assert settled(beats, 500.0).usual.tolist() == usual


def test_a_lead_that_is_not_seen_is_not_known_and_no_zero(hearts: list[ECG]) -> None:
    read = shown_on(hearts[0], "3x4+II")
    gone = [
        replace(part, confidence=np.zeros_like(part.confidence)) if part.lead == "V5" else part
        for part in read.parts
    ]
    found = measured_on(replace(read, parts=tuple(gone)), hearts[0])
    assert np.isnan([found["r_mv_V5"], found["qrs_area_uvs"]]).all()
    assert found.lost["V5"] == "V5 not shown"
    assert np.isfinite(found["qrs_duration_ms"])
    flat = [replace(p, millivolts=np.zeros_like(p.millivolts)) for p in read.parts]
    with pytest.raises(FormatError, match="fewer than 3 beats"):
        recording_of(replace(read, parts=tuple(flat)))


def test_what_was_drawn_stays_as_drawn(hearts: list[ECG]) -> None:
    read = shown_on(hearts[1], "3x4+II")
    ecg = recording_of(read)
    assert ecg.shown is not None
    assert ecg.shown.tied
    assert ecg.seconds == pytest.approx(10, abs=0.01)
    for part in read.parts:
        if part.rhythm or part.lead != "II":
            start = round(part.start_s * FS)
            laid = ecg[part.lead][start : start + len(part.millivolts)]
            assert np.allclose(laid, part.millivolts, atol=1e-5)
    # and beats elsewhere are those of the lead: no gap, no step
    assert all(np.abs(np.diff(ecg[x])).max() < 3 * np.ptp(ecg[x]) / 10 for x in LEADS)


def test_from_pixels_to_numbers(hearts: list[ECG]) -> None:
    errors = []
    for ecg in hearts[:3]:
        signal = ecg.signal - np.median(ecg.signal, axis=1, keepdims=True)
        page = render_page(signal, ecg.fs, LAYOUTS["3x4+II"], dpi=200.0)
        true, found = measure(ecg), measured_on(digitise(ECGImage(page.image)), ecg)
        assert found["qrs_area_uvs"] == pytest.approx(true["qrs_area_uvs"], rel=0.1)
        errors.append(found["qrs_duration_ms"] - true["qrs_duration_ms"])
    assert np.abs(errors).max() < 16
