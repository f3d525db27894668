"""The dictionary of measurements: closed forms, published criteria, NaN discipline, bad input."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from measurement_page import render_dictionary

from dyssync.ecg import ECG, LEAD_INDEX, LEADS, Sex
from dyssync.errors import ConfigError
from dyssync.formats import read_ecg
from dyssync.measurements import DEFINITIONS, activation, intervals, lead_quality, measure
from dyssync.measurements.answers import NO, YES, not_known, yes_if
from dyssync.measurements.areas import angle_deg
from dyssync.measurements.bundle_branch import lbbb_esc
from dyssync.measurements.candidates import Candidate
from dyssync.measurements.guidelines import esc_2021, hrs_2023
from dyssync.measurements.heartbeat import Heartbeat, from_typical_beat, heartbeat
from dyssync.measurements.selvester import selvester_lbbb
from dyssync.measurements.waveforms import feature_names, features
from dyssync.signals.delineation import typical_beat
from dyssync.signals.filtering import bandpass
from dyssync.signals.vectorcardiogram import DOWER
from dyssync.signals.waves import Notches, Wave, qrs_notches
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient

FS = 500.0
Array = npt.NDArray[np.float64]


def leads_of(loop: Array) -> Array:
    """(3, n) X, Y, Z to (12, n) leads by the Dower matrix and Einthoven."""
    v1_to_v6_i_ii = DOWER @ loop
    i, ii = v1_to_v6_i_ii[6:]
    limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    return np.concatenate([np.stack(limb), v1_to_v6_i_ii[:6]])


def bump(time: Array, start: float, length: float) -> Array:
    """Raised cosine from `start` for `length` s: exact onset and end, area = length / 2."""
    phase = np.clip((time - start) / length, 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(2 * np.pi * phase)


def ecg_of(
    qrs: tuple[float, float, float] = (0.6, 0.8, -0.4),
    qrs_s: float = 0.12,
    with_p: bool = True,
    rr: float = 0.9,
    noise_mv: float = 0.005,
) -> ECG:
    """Ten beats with a known loop: QRS along one vector, T along another, P along Y."""
    time = np.arange(round(10 * rr * FS)) / FS
    loop = np.zeros((3, len(time)))
    for beat in range(10):
        start = 0.4 + beat * rr
        loop += np.outer(qrs, bump(time, start, qrs_s))
        loop += np.outer((0.3, 0.1, 0.2), bump(time, start + 0.22, 0.18))
        if with_p:
            loop += np.outer((0.05, 0.12, 0.0), bump(time, start - 0.17, 0.11))
    noise = noise_mv * np.random.default_rng(3).standard_normal((12, len(time)))
    return ECG((leads_of(loop) + noise).astype(np.float32), FS, sex="F", age=60.0)


def test_areas_and_intervals_of_a_known_heart() -> None:
    found = measure(ecg_of())
    # Kors of Dower leads is nearly the identity, so the area is that of the loop within 10 %
    size = 1000 * 0.06 * np.linalg.norm((0.6, 0.8, -0.4))
    assert found["qrs_area_uvs"] == pytest.approx(size, rel=0.1)
    angle = angle_deg(np.array([0.6, 0.8, -0.4]), np.array([0.3, 0.1, 0.2]))
    assert found["qrs_t_angle_deg"] == pytest.approx(angle, abs=10)
    assert found["heart_rate_bpm"] == pytest.approx(60 / 0.9, rel=0.005)
    # a raised cosine starts and ends with slope 0: what can be seen of it is some 20 ms shorter
    assert found["qrs_duration_ms"] == pytest.approx(110, abs=14)
    assert found["pr_ms"] == pytest.approx(170, abs=16)
    assert found["qt_ms"] == pytest.approx(400, abs=25)
    # Dower: I = 0.168, aVF = 0.963 mV, so atan2(2 / sqrt(3) * 0.963, 0.168) = 81.4 degrees
    assert found["qrs_axis_deg"] == pytest.approx(81.4, abs=2)


@pytest.mark.parametrize("fs", [100.0, 250.0, 1000.0])
def test_sampling_rate_hardly_changes_the_result(fs: float) -> None:
    from dyssync.signals.filtering import resample

    reference = ecg_of()
    found = measure(ECG(resample(reference.signal, FS, fs), fs, sex="F"))
    whole = measure(reference)
    assert found["qrs_area_uvs"] == pytest.approx(whole["qrs_area_uvs"], rel=0.03)
    assert found["qrs_duration_ms"] == pytest.approx(whole["qrs_duration_ms"], abs=8)


def test_names_units_and_page_agree() -> None:
    found = measure(ecg_of())
    assert found.names == tuple(entry.name for entry in DEFINITIONS)
    assert len(set(found.names)) == len(found) == len(found.units)
    assert found.as_dict().keys() == set(found.names)
    page = Path(__file__).parent.parent / "docs" / "measurements.md"
    assert page.read_text() == render_dictionary(), (
        "stale; run python tools/measurement_page.py > docs/measurements.md"
    )


def test_without_p_waves_there_is_no_pr() -> None:
    found = measure(ecg_of(with_p=False, noise_mv=0.01))
    assert np.isnan(found["pr_ms"])
    assert any("P wave" in caution for caution in found.cautions)
    assert np.isfinite(found["qrs_area_uvs"])


def arms_swapped(signal: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    swapped = signal.copy()
    swapped[:6] = signal[[0, 2, 1, 4, 3, 5]]
    swapped[0] *= -1
    return swapped


def bad_inputs() -> dict[str, ECG]:
    rng = np.random.default_rng(0)
    good = ecg_of().signal
    spikes = 0.002 * rng.standard_normal((12, 5000)) + 0.1 * np.sin(np.arange(5000) / 300)
    spikes[:, 400::500] = 2.0
    hum = 5.0 * np.sin(2 * np.pi * 50 * np.arange(good.shape[1]) / FS)
    hum60 = 5.0 * np.sin(2 * np.pi * 60 * np.arange(good.shape[1]) / FS)
    flat = good.copy()
    flat[LEAD_INDEX["V3"]] = 0.0
    wild = good.copy()
    wild[LEAD_INDEX["V3"]] = 3 * rng.standard_normal(good.shape[1])
    asystole = 0.1 * np.sin(2 * np.pi * 0.3 * np.arange(5000) / FS) * np.ones((12, 1))
    return {
        "asystole": ECG(asystole + 0.003 * rng.standard_normal((12, 5000)), FS),
        "noise": ECG(rng.standard_normal((12, 5000)), FS),
        "two beats": ECG(good[:, :700], FS),
        "two beats at 100 Hz": ECG(good[:, :700:5], 100.0),
        "arms swapped": ECG(arms_swapped(good), FS),
        "one lead flat": ECG(flat, FS),
        "one lead wild": ECG(wild, FS),
        "saturated": ECG(np.clip(good, -0.3, 0.3), FS),
        "hum": ECG(good + hum.astype(np.float32), FS),
        "60 Hz hum": ECG(good + hum60.astype(np.float32), FS),
        "100 Hz": ECG(good[:, ::5], 100.0),
        "spikes only": ECG(spikes, FS),
    }


NO_HEART = ("asystole", "noise", "spikes only", "two beats", "two beats at 100 Hz")


@pytest.mark.parametrize("case", bad_inputs())
def test_bad_input_gives_cautions_and_never_raises(case: str) -> None:
    found = measure(bad_inputs()[case])
    if case in NO_HEART:
        assert np.isnan(found.values).all()
        assert "beat" in found.cautions[0]
    elif case != "100 Hz":
        assert found.cautions
    if case in ("one lead flat", "one lead wild", "hum", "60 Hz hum", "100 Hz", "arms swapped"):
        assert found["qrs_duration_ms"] == pytest.approx(110, abs=16)


@pytest.mark.parametrize(("case", "word"), [("one lead flat", "flat"), ("one lead wild", "noise")])
def test_nothing_is_made_of_a_lead_that_says_nothing(case: str, word: str) -> None:
    found = measure(bad_inputs()[case])
    lost = {name for name in found if name.endswith("_V3")} | {"qrs_area_uvs", "cornell_mv"}
    lost |= {"qrs_t_angle_deg", "tcrt", "r_progression", "qrs_loop_length_mv"}
    assert all(np.isnan(found[name]) for name in lost)
    for name in ("qrs_duration_ms", "qrs_axis_deg", "r_mv_V5", "sokolow_lyon_mv", "lbbb_esc"):
        assert np.isfinite(found[name]), name
    assert any(c.startswith("unusable V3") for c in found.cautions)
    assert any("V3" in c and word in c for c in found.cautions)


def test_nothing_is_made_of_leads_that_swapped_arms_would_touch() -> None:
    found = measure(bad_inputs()["arms swapped"])
    for name in ("qrs_axis_deg", "r_mv_I", "r_mv_aVL", "qrs_area_uvs", "mid_notch_I", "tcrt"):
        assert np.isnan(found[name]), name
    for name in ("qrs_duration_ms", "r_mv_aVF", "r_mv_V5", "sokolow_lyon_mv"):
        assert np.isfinite(found[name]), name
    assert any(c.startswith("perhaps swapped I, II, III, aVR, aVL") for c in found.cautions)


def test_heights_of_saturated_leads_are_missing() -> None:
    found = measure(bad_inputs()["saturated"])
    assert np.isnan(found["r_mv_II"])
    assert np.isnan(found["qrs_area_uvs"])
    assert np.isfinite(found["heart_rate_bpm"])


def test_every_measurement_needs_the_leads_in_its_name() -> None:
    for entry in DEFINITIONS:
        assert set(entry.needs) <= set(LEADS), entry.name
        lead = entry.name.rpartition("_")[2]
        assert lead not in LEADS or lead in entry.needs, f"{entry.name} needs {lead}; say so"


def test_what_a_lead_is_needed_for_follows_from_the_definition() -> None:
    needs = {entry.name: set(entry.needs) for entry in DEFINITIONS}
    assert needs["qrs_area_uvs"] == {"I", "II", "V1", "V2", "V3", "V4", "V5", "V6"}  # Kors
    assert needs["sokolow_lyon_mv"] == {"V1", "V5", "V6"}
    assert needs["cornell_product_mvms"] == {"aVL", "V3"}
    assert needs["qrs_duration_ms"] == set()  # all leads together: one bad lead does not move it


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="qrs_volume"):
        measure(ecg_of())["qrs_volume"]


def test_lead_quality_names_the_lead_and_the_fault() -> None:
    cases = bad_inputs()
    assert "V3: flat" in lead_quality(cases["one lead flat"]).cautions
    assert any("mains" in caution for caution in lead_quality(cases["hum"]).cautions)
    saturated = lead_quality(cases["saturated"])
    assert "saturated" in saturated.leads[LEAD_INDEX["II"]].faults
    assert not [c for c in lead_quality(ecg_of()).cautions if "swap" not in c]


def test_swapped_arms_are_suspected() -> None:
    signal = ecg_of().signal
    assert any("arm" in swap for swap in lead_quality(ECG(arms_swapped(signal), FS)).swaps)
    assert not lead_quality(ECG(signal, FS)).swaps


def test_an_exchanged_right_leg_is_suspected() -> None:
    signal = ecg_of().signal
    noise, iii = signal[0] - signal[1] + signal[2], signal[2]
    swapped = signal.copy()
    # both legs have one potential: II is what is left between them, and I is -III
    swapped[:6] = [noise - iii, noise, iii, iii / 2, -iii, iii / 2]
    assert any("right leg" in swap for swap in lead_quality(ECG(swapped, FS)).swaps)


@pytest.mark.parametrize("first", ["V1", "V2", "V4", "V5"])  # here V3 and V4 look too much alike
def test_exchanged_neighbours_on_the_chest_are_suspected(first: str) -> None:
    signal = ecg_of().signal
    swapped, k = signal.copy(), LEAD_INDEX[first]
    swapped[[k, k + 1]] = signal[[k + 1, k]]
    (suspicion,) = lead_quality(ECG(swapped, FS)).swaps
    assert suspicion.startswith(f"{first} and V{int(first[1]) + 1} may be swapped")


def notched_lbbb(qrs_s: float) -> ECG:
    """Loop to the left and back with two humps: negative V1 V2, notched R in I, aVL, V5, V6."""
    time = np.arange(4500) / FS
    loop = np.zeros((3, len(time)))
    for beat in range(10):
        start = 0.4 + beat * 0.9
        humps = bump(time, start, 0.45 * qrs_s) + bump(time, start + 0.3 * qrs_s, 0.45 * qrs_s)
        humps += 0.5 * bump(time, start, qrs_s)
        loop += np.outer((1.0, -0.1, 1.0), humps)
        loop -= np.outer((0.3, 0.0, 0.3), bump(time, start + qrs_s + 0.06, 0.2))
    noise = 0.003 * np.random.default_rng(1).standard_normal((12, len(time)))
    return ECG((leads_of(loop) + noise).astype(np.float32), FS, sex="M", age=60.0)


def test_strict_lbbb_needs_width_and_notches() -> None:
    wide = measure(notched_lbbb(0.19))
    assert wide["lbbb_esc"] == wide["lbbb_aha"] == wide["lbbb_strauss"] == 1.0
    assert wide["rbbb"] == wide["ivcd"] == 0.0
    assert np.isfinite(wide["selvester_lbbb"])
    narrow = measure(notched_lbbb(0.13))
    assert narrow["lbbb_strauss"] == 0.0
    smooth = measure(ecg_of(qrs=(1.0, -0.1, 1.0), qrs_s=0.18))
    assert smooth["lbbb_esc"] == 1.0
    assert smooth["lbbb_strauss"] == 0.0


def with_waves(beat: Heartbeat, lead: str, r_mv: float, s_mv: float) -> Heartbeat:
    """Return the beat with an R and an S of 40 ms each in one lead; S of 0 is none."""
    waves = [Wave("R", r_mv, 0, 10, 20)] + ([Wave("S", -s_mv, 20, 30, 40)] if s_mv else [])
    at = LEAD_INDEX[lead]
    return replace(beat, waves=(*beat.waves[:at], tuple(waves), *beat.waves[at + 1 :]))


def with_notches(beat: Heartbeat, leads: tuple[str, ...], n: int) -> Heartbeat:
    """Return the beat with `n` notches in some leads and none in the others."""
    some = Notches(((3, 5, 7),) * n, ())
    none = Notches((), ())
    return replace(beat, notches=tuple(some if lead in leads else none for lead in LEADS))


def test_cornell_product_of_women_is_that_of_8_mm_more() -> None:
    ecg = ecg_of()
    woman, man = measure(ecg), measure(replace(ecg, sex="M"))
    more = woman["cornell_product_mvms"] - man["cornell_product_mvms"]
    assert more / woman["qrs_duration_ms"] == pytest.approx(0.8)


def test_two_notches_fragment_a_narrow_qrs_and_more_than_two_a_wide_one() -> None:
    narrow, wide = heartbeat(ecg_of(qrs_s=0.1)), heartbeat(notched_lbbb(0.19))
    assert narrow.qrs_ms < 120 <= wide.qrs_ms  # Das 2008: wide is 120 ms and more
    inferior = ("II", "aVF")
    for beat, notches, expected in ((narrow, 1, 1.0), (wide, 2, 0.0), (wide, 3, 1.0)):
        found = activation.measure(with_notches(beat, inferior, notches))
        assert found["fqrs"] == yes_if(expected == 1), (beat.qrs_ms, notches)
        assert found["fqrs_inferior"] == 2 * expected
    assert activation.measure(with_notches(wide, ("II",), 3))["fqrs"] == NO  # one lead alone


@pytest.mark.parametrize(("r_mv", "negative"), [(0.3, True), (0.35, False)])
def test_v1_of_lbbb_has_an_r_of_at_most_3_mm(r_mv: float, negative: bool) -> None:
    beat = with_waves(heartbeat(notched_lbbb(0.19)), "V1", r_mv, 1.5)
    assert lbbb_esc(beat).value is negative


@pytest.mark.parametrize(
    ("age", "sex", "limit_uv"),
    [(55.0, "M", 500), (75.0, "M", 400), (35.0, "M", 600), (55.0, "F", 450)],
)
def test_selvester_limits_are_those_of_a_man_of_55_and_change_by_a_percent_a_year(
    age: float, sex: Sex, limit_uv: float
) -> None:
    # R of V5 at most 500 uV is one point; 10 % less in women
    beat = replace(heartbeat(notched_lbbb(0.19)), age=age, sex=sex)
    low, high = (
        selvester_lbbb(with_waves(beat, "V5", uv / 1000, 0.0))
        for uv in (limit_uv - 5, limit_uv + 5)
    )
    assert low == high + 1


@pytest.mark.parametrize(("depth_mv", "notches"), [(0.045, 0), (0.06, 1)])
def test_a_notch_is_half_a_millimetre_deep(depth_mv: float, notches: int) -> None:
    typical = typical_beat(notched_lbbb(0.19).signal, FS)
    signal, marks = typical.beat.signal.copy(), typical.marks
    at = np.linspace(marks.qrs_on, marks.qrs_off, 5)
    shape = np.interp(np.arange(signal.shape[1]), at, [0.0, 1.0, 1.0 - depth_mv, 1.0, 0.0])
    signal[LEAD_INDEX["V6"]] = shape
    beat = from_typical_beat(replace(typical, beat=replace(typical.beat, signal=signal)))
    assert len(beat.notches[LEAD_INDEX["V6"]].notches) == notches


def test_mains_hum_hardly_moves_the_features_of_a_waveform() -> None:
    ecg = ecg_of()
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(ecg.signal.shape[1]) / FS).astype(np.float32)
    clean, humming = (
        dict(zip(feature_names(), features(one), strict=True))
        for one in (ecg, replace(ecg, signal=ecg.signal + hum))
    )
    # 0.3 mV of 50 Hz alone has an SD of 0.21 mV
    added = humming["I_sd"] ** 2 - clean["I_sd"] ** 2
    assert 0 < added**0.5 < 0.3 * 0.21


def test_depth_of_a_notch_is_an_option() -> None:
    ecg = notched_lbbb(0.19)
    assert measure(ecg)["notches_V6"] > 0
    assert measure(ecg, notch_mv=1.0)["notches_V6"] == 0
    with pytest.raises(ConfigError, match="notch_mv is 0 mV"):
        measure(ecg, notch_mv=0.0)


@pytest.mark.parametrize(
    ("qrs", "lbbb", "esc", "hrs"),
    [
        (155, True, "I", "I"),
        (140, True, "IIa", "IIa"),
        (155, False, "IIa", "IIa"),
        (140, False, "IIb", "IIb"),
        (125, False, "III", "IIb"),
        (110, True, "III", "III"),
    ],
)
def test_guideline_classes(qrs: float, lbbb: bool, esc: str, hrs: str) -> None:
    patient = Candidate(qrs, lbbb, sinus_rhythm=True, lvef=25.0, nyha=3, sex="M")
    assert esc_2021(patient).name == esc
    assert hrs_2023(patient).name == hrs
    assert esc_2021(patient).assumed == ()
    assert "lvef" in esc_2021(Candidate(qrs, lbbb, sinus_rhythm=True)).assumed


@pytest.mark.real_data
def test_qrs_duration_of_a_real_file_is_near_the_recorders(shared_data: Path) -> None:
    ecg = read_ecg(shared_data / "formats" / "ge-muse-xml" / "braveheart_example1.xml")
    assert measure(ecg)["qrs_duration_ms"] == pytest.approx(96, abs=8)


def test_every_definition_gets_a_value_in_some_heart() -> None:
    missing = {definition.name for definition in DEFINITIONS}
    for k in range(20):
        rng = patient_rng(3, k)
        patient = simulate_patient(draw_patient(rng, "archive" if k % 2 else "crt"), rng)
        found = measure(ECG(patient.signal, FS, sex="F", age=60.0))
        missing -= {name for name, value in found.as_dict().items() if np.isfinite(value)}
    assert missing == set(), "defined, and computed by nobody"


@pytest.mark.parametrize(("n_beats", "measured"), [(2, False), (3, True)])
def test_three_beats_of_one_shape_are_enough_and_two_are_not(n_beats: int, measured: bool) -> None:
    whole = ecg_of()
    cut = ECG(whole.signal[:, : round((0.3 + 0.9 * n_beats) * FS)], FS)
    assert np.isfinite(measure(cut)["qrs_duration_ms"]) == measured


def test_beat_of_another_shape_is_counted_as_such() -> None:
    regular = ecg_of()
    time = np.arange(regular.signal.shape[1]) / FS
    # twice as wide and turned round, on the fifth of ten beats
    other = leads_of(np.outer((-1.6, -2.0, 1.4), bump(time, 0.4 + 4 * 0.9 - 0.06, 0.24)))
    ectopic = ECG((regular.signal + other).astype(np.float32), FS)
    assert measure(regular)["ectopic_share"] == 0
    assert measure(ectopic)["ectopic_share"] == pytest.approx(0.1)


def with_spikes(ecg: ECG, mv: list[float]) -> ECG:
    """Add a pulse that goes up and comes back in 8 ms, 10 ms before each QRS; mV of each beat."""
    signal = ecg.signal.copy()
    gains = np.array([0.7, -0.4, -1.1, -0.2, 0.9, -0.7, 0.6, 0.9, 1.0, 0.8, 0.7, 0.5])
    for beat, size in enumerate(mv):
        at = round((0.4 + beat * 0.9 - 0.010) * FS)
        signal[:, at : at + 4] += np.outer(gains * size, [1.0, 0.9, -0.8, -0.3])
    return replace(ecg, signal=signal.astype(np.float32))


def test_spikes_of_all_sizes_are_found_and_leave_the_qrs_as_it_is() -> None:
    plain = notched_lbbb(0.19)
    paced = measure(with_spikes(plain, [0.3, 2.5] * 5))
    assert paced.answers["paced"] == YES
    for name in ("lbbb_esc", "rbbb", "ivcd"):
        assert paced.answers[name] == not_known("ventricular pacing")
    assert paced["qrs_duration_ms"] == pytest.approx(measure(plain)["qrs_duration_ms"], abs=10)
    assert paced["qrs_area_uvs"] == pytest.approx(measure(plain)["qrs_area_uvs"], rel=0.05)


def test_spikes_before_some_beats_are_pacing_probably_and_leave_the_others_to_be_judged() -> None:
    found = measure(with_spikes(notched_lbbb(0.19), [1.5] * 3 + [0.0] * 7))
    assert found.answers["paced"] == not_known("pacing spikes before 3 of 10 beats")
    assert found.answers["lbbb_esc"] == YES
    one = measure(with_spikes(notched_lbbb(0.19), [1.5] + [0.0] * 9))
    assert one.answers["paced"] == NO  # an artefact


@pytest.mark.parametrize(
    ("towards", "qrs_s", "paced"),
    [
        ((-0.2, -1.2, 0.2), 0.15, None),  # away from the apex, slowly
        ((-0.2, -1.2, 0.2), 0.12, False),
        ((1.0, -0.4, 0.8), 0.15, False),  # LBBB with left axis
    ],
)
def test_the_shape_of_a_beat_paced_from_the_apex_says_probably(
    towards: tuple[float, float, float], qrs_s: float, paced: bool | None
) -> None:
    found = measure(ecg_of(qrs=towards, qrs_s=qrs_s)).answers
    assert found["paced"].value is paced
    assert found["ivcd"].value is (None if paced is None else found["ivcd"].value)


@pytest.mark.parametrize("top_hz", [None, 40.0])
def test_a_slur_is_a_dip_of_the_slope_that_a_filter_leaves(top_hz: float | None) -> None:
    at = [0, 20, 30, 42, 62, 80]  # up, slowly, up, down: samples at 500 Hz
    slurred = np.interp(np.arange(-100, 180), at, [0.0, 0.6, 0.65, 1.0, 0.2, 0.0])
    smooth = np.sin(np.pi * np.clip(np.arange(-100, 180) / 80, 0, 1)) ** 2
    for shape, slurs in ((slurred, 1), (smooth, 0)):
        lead = shape if top_hz is None else bandpass(shape, FS, None, top_hz)
        found = qrs_notches(np.asarray(lead[100:181], dtype=np.float64), 0.05)
        assert found.notches == ()
        assert len(found.slurs) == slurs
        assert all(18 <= slur <= 32 for slur in found.slurs)


def test_no_heart_with_its_electrodes_in_place_is_suspected_of_swapped_arms() -> None:
    for k in range(20):  # one in six has RBBB, whose late forces turn lead I
        rng = patient_rng(3, k)
        patient = simulate_patient(draw_patient(rng, "archive"), rng)
        assert not [s for s in lead_quality(ECG(patient.signal, FS)).swaps if "arm" in s]


def test_the_rate_of_an_irregular_rhythm_is_the_number_of_its_beats() -> None:
    beat = heartbeat(ecg_of())
    skewed = np.array([0.4, 0.4, 0.45, 0.4, 0.4, 1.2, 1.3, 0.4, 1.0])  # median 0.4, mean 0.66
    found = intervals.measure(replace(beat, rr=skewed))
    assert found["heart_rate_bpm"] == pytest.approx(60 / skewed.mean())
    missed = np.array([0.9, 0.9, 0.9, 0.9, 0.92, 0.9, 0.88, 0.9, 0.9])
    assert intervals.measure(replace(beat, rr=missed))["heart_rate_bpm"] == pytest.approx(60 / 0.9)
