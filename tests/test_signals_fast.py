"""Fast hearts: T against the next P, made at a known rate from waves that begin and end exactly."""

import numpy as np
import numpy.typing as npt
import pytest

from dyssync.ecg import ECG
from dyssync.inspection.wording import rhythm
from dyssync.measurements import measure
from dyssync.signals.beat_marks import Pace, waves_of
from dyssync.signals.beats import detect_beats
from dyssync.signals.bounds import p_bounds
from dyssync.signals.delineation import delineate
from dyssync.signals.pacing import find_spikes, remove_spikes
from dyssync.signals.rest import rest_before_p
from dyssync.simulation.leads import DOWER, twelve_leads

FS = 500.0
# why QT is not known
UNTOLD = ("T and the next P cannot be told apart", "QRS and T cannot be told apart")
Array = npt.NDArray[np.float64]
NARROW = ((0, 0, 0), (-0.15, -0.05, -0.25), (1.1, 0.8, 0.1), (0.2, 0.1, 0.6), (0, 0, 0))
BLOCKED = ((0, 0, 0), (0.4, 0.1, 0.3), (0.9, 0.1, 1.1), (0.8, -0.2, 1.2), (0, 0, 0))
HEARTS = {  # corners of the QRS vector, its length, peak of T, PR and QT at one beat a second, ms
    "normal": (NARROW, 90, (0.3, 0.22, -0.12), 170, 400),
    "lbbb": (BLOCKED, 150, (-0.3, 0.1, -0.45), 200, 440),
    "lbbb whose QRS runs into T": (BLOCKED, 150, (-0.3, 0.1, -0.45), 200, 440),
    "lbbb with a steep T": (BLOCKED, 170, (-0.6, 0.2, -0.9), 160, 340),
}


def bump(at: Array, start: float, end: float) -> Array:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.clip((at - start) / (end - start), 0, 1))


def fast_heart(
    rate: float, kind: str, p_share: float = 1.0, irregular: float = 0.0
) -> tuple[ECG, float, float]:
    """10 s with QT by Bazett, PR by the same; noise of 5 uV. Also PR and QT in ms.

    `p_share`: of the usual height of P. `irregular`: SD of RR as a share of it.
    """
    corners, qrs, t_peak, pr, qt = HEARTS[kind]
    rng, rr = np.random.default_rng(round(rate)), 60.0 / rate
    pr, qt = pr * rr**0.5, qt * rr**0.5
    dipole = np.zeros((3, 5000))
    regular = np.arange(-rr, 11, rr) * (1 + 0.005 * rng.standard_normal())
    for start in regular + 0.7 * irregular * rr * rng.standard_normal(len(regular)):
        at = 1000 * (np.arange(5000) / FS - start)
        t_from = qrs - 60 * ("runs into" in kind)
        for axis in range(3):
            knots = np.array(corners, dtype=float)[:, axis]
            knots[-1] = t_peak[axis] * bump(np.array([float(qrs)]), t_from, qt)[0]
            dipole[axis] += np.interp(at, np.linspace(0, qrs, 5), knots, 0, 0)
        dipole += np.array(t_peak)[:, None] * bump(at, t_from, qt) * (at > qrs)
        p_peak = p_share * np.array((0.07, 0.11, -0.02))
        dipole += p_peak[:, None] * bump(at, -pr, min(90, 0.7 * pr) - pr)
    eight = DOWER @ dipole + 0.005 * rng.standard_normal((8, 5000))
    return ECG(twelve_leads(eight).astype(np.float32), FS), pr, qt


@pytest.mark.parametrize("kind", [kind for kind in HEARTS if "steep" not in kind])
@pytest.mark.parametrize("rate", [60, 100, 120, 140, 170, 200, 220])
def test_pr_and_qt_are_right_or_not_known(rate: int, kind: str) -> None:
    ecg, pr, qt = fast_heart(rate, kind)
    found = measure(ecg)
    assert found["heart_rate_bpm"] == pytest.approx(rate, rel=0.02)
    assert found["pr_ms"] == pytest.approx(pr, abs=12) or np.isnan(found["pr_ms"])
    assert found["qt_ms"] == pytest.approx(qt, abs=25) or np.isnan(found["qt_ms"])
    assert not found["qt_ms"] > 60_000 / rate
    if np.isnan(found["qt_ms"]):
        assert any(text.startswith(UNTOLD) for text in found.cautions)
        assert np.isnan(found["pr_ms"])
        assert np.isnan(found["atrial_fibrillation"])  # no P was seen, but none could be
    if rate <= 120:
        assert np.isfinite([found["pr_ms"], found["qt_ms"]]).all()


@pytest.mark.parametrize(("p_share", "told"), [(1.0, True), (0.45, False)])
def test_pr_is_not_given_where_p_is_too_low_to_tell_its_onset(p_share: float, told: bool) -> None:
    ecg, _, _ = fast_heart(70, "normal", p_share)
    found = measure(ecg)
    assert np.isfinite(found["p_axis_deg"])  # there is a P
    assert np.isfinite(found["pr_ms"]) == told
    assert any("its onset cannot be told" in text for text in found.cautions) != told
    assert "P wave before each QRS" in rhythm(found)


def test_at_a_fast_rate_only_an_rr_that_changes_with_each_beat_tells_fibrillation() -> None:
    regular, _, _ = fast_heart(170, "normal", 0.0)
    irregular, _, _ = fast_heart(170, "normal", 0.0, irregular=0.08)
    once = ECG(np.delete(regular.signal, np.s_[2000:2150], axis=1), FS)  # one early beat
    answers = [measure(ecg).answers["atrial_fibrillation"] for ecg in (regular, irregular, once)]
    assert [answer.value for answer in answers] == [None, True, None]


@pytest.mark.parametrize("rate", [100, 150, 180])
def test_a_wide_qrs_that_t_follows_at_once_ends_before_it(rate: int) -> None:
    ecg, _, _ = fast_heart(rate, "lbbb")
    assert measure(ecg)["qrs_duration_ms"] == pytest.approx(150, abs=20)


def test_the_top_of_t_is_no_rest() -> None:
    # one lead turns round at the top of T, after a hump and before P, as it does in a rest
    at = np.arange(220) / FS * 1000
    t = 0.25 * bump(at, 0, 120) + bump(at, 100, 360)
    beat = np.outer((0.3, 0.1), t) + np.outer((0.0, 0.1), bump(at, 30, 130) + bump(at, 330, 410))
    rest = rest_before_p(beat, 0, 215)
    assert rest is None or 2 * rest.first > 300


@pytest.mark.parametrize(("apart_ms", "told"), [(60, True), (-60, False)])
def test_rest_is_where_all_leads_stay_between_two_waves(apart_ms: float, told: bool) -> None:
    at = np.arange(250) / FS * 1000  # QRS ends at 0; T until 200, P of 90 ms after the rest
    t, p = bump(at, 30, 200), bump(at, 200 + apart_ms, 290 + apart_ms)
    beat = np.outer((0.3, 0.1, -0.2), t) + np.outer((0.05, 0.15, 0.02), p)
    rest = rest_before_p(beat, 0, (330 + apart_ms) * FS / 1000)
    assert (rest is not None) == told
    if rest is not None:
        assert 170 < 2 * rest.first < 2 * rest.last < 230 + apart_ms


def beats_of(rr: int, t_end: int, pr: int, p_shape: float = 1.0, tail: float = 0.0) -> Array:
    """Eight beats of six leads whose QRS begins at sample 225; ms. T goes on into a line (`tail`).

    `p_shape`: the larger, the more slowly P leaves the level.
    """
    dipole = np.zeros((3, 575))
    for k in range(-1, 3):
        at = 2.0 * (np.arange(575) - 225) - k * rr
        t, middle = bump(at, 100, t_end), 0.5 * (100 + t_end)
        line = tail * np.clip((t_end + 20 - at) / (t_end + 20 - middle), 0, 1)
        t = np.where(at > middle, np.maximum(t, line), t)
        dipole += np.outer((1.0, 0.6, 0.3), np.interp(at, [0, 45, 90], [0, 1, 0]))
        dipole += np.outer((0.25, 0.18, -0.1), t)
        dipole += np.outer((0.07, 0.12, -0.02), bump(at, -pr, 120 - pr) ** p_shape)
    mixed = ((0.7, 0.7, 0), (0.5, 0, 0.8), (0, 0.8, -0.6))
    leads = np.concatenate([np.eye(3), np.array(mixed)])
    return leads @ dipole + 0.003 * np.random.default_rng(1).standard_normal((8, 6, 575))


@pytest.mark.parametrize(("rr", "t_end", "pr"), [(440, 340, 200), (460, 330, 220)])
def test_a_t_that_p_goes_on_from_does_not_end_at_its_top(rr: int, t_end: int, pr: int) -> None:
    beats = beats_of(rr, t_end, pr).astype(np.float32)
    waves = waves_of(beats, 225, Pace(rr / 1000, rr / 1000, True))
    assert waves.merged
    assert "t_off" not in waves.found
    assert "p_on" not in waves.found


@pytest.mark.parametrize("p_shape", [1.0, 1.5])
def test_p_out_of_a_short_rest_begins_before_it_has_left_it(p_shape: float) -> None:
    beats = beats_of(460, 310, 150, p_shape).astype(np.float32)
    found = waves_of(beats, 225, Pace(0.46, 0.46, True)).found
    seen = 150 - 120 * np.argmax(bump(np.arange(120.0), 0, 120) ** p_shape > 0.1) / 120
    assert 2 * (found["qrs_on"][0] - found["p_on"][0]) == pytest.approx(seen, abs=6)


def test_t_ends_where_little_of_it_is_left_though_its_corner_is_before() -> None:
    beats = beats_of(560, 330, 150, tail=0.35).astype(np.float32)
    found = waves_of(beats, 225, Pace(0.56, 0.56, True)).found
    assert 2 * (found["t_off"][0] - found["qrs_on"][0]) == pytest.approx(345, abs=12)


def test_p_begins_where_all_leads_show_it_though_most_look_across_its_start() -> None:
    at = np.arange(250) * 2.0  # from 200 ms in two leads of six; the others see its second half
    beat = np.stack([0.2 * bump(at, 200, 300)] * 2 + [0.1 * bump(at, 250, 330)] * 4)
    p = p_bounds(beat, 190.0, 1.0)
    assert p is not None
    assert 2 * float(np.median(p.lead_on)) > 218
    assert 2 * p.on == pytest.approx(206, abs=6)


@pytest.mark.parametrize("spread", [False, True])
def test_a_spike_is_bridged_where_it_is_and_no_farther(spread: bool) -> None:
    pulse = (0.01, 0.04, 0.2, 0.8, 0.3, 0.6, 0.1, 0.02) if spread else (0.07, 0.03, 0.05)
    step = np.zeros(100)
    signs = np.array((1, 1, 1, 1, -1, -1, -1, -1) if spread else (1, -1, -1))
    step[30 : 30 + len(pulse)] = signs * pulse
    step[42:60] = 0.045  # the QRS, 24 ms later
    signal = np.tile(np.cumsum(step), (2, 1)).astype(np.float32)
    without = remove_spikes(signal, np.array([33 if spread else 30]))
    assert np.abs(without[:, :28] - signal[:, :28]).max() < 1e-6
    assert np.abs(without[:, 44:] - signal[:, 44:]).max() < 1e-6
    assert np.abs(np.diff(without[:, :40], axis=1)).max() < 0.02


@pytest.mark.parametrize("early", [False, True])
def test_a_steep_t_is_no_beat_and_an_early_beat_is_one(early: bool) -> None:
    ecg, _, _ = fast_heart(85, "lbbb with a steep T")
    signal = ecg.signal.copy()
    if early:  # 0.33 s after the fifth, and the next one comes a whole RR later
        beat = int(detect_beats(signal, FS)[4])
        signal = np.delete(signal, np.s_[beat + 65 : beat + 253], axis=1)
    found = detect_beats(signal, FS)
    assert len(found) == 15
    assert (np.diff(found) < 0.4 * FS).sum() == early


def test_a_spike_is_bridged_once_and_qrs_begins_where_it_did() -> None:
    ecg, _, _ = fast_heart(60, "lbbb")
    signal = ecg.signal.copy()
    assert np.isfinite(measure(ecg)["pr_ms"])
    plain = delineate(signal, FS)
    for beat in plain.beats[1:-1]:  # 12 ms before the onset
        signal[:, int(beat + np.nanmedian(plain.marks["qrs_on"] - plain.beats)) - 6] += 3.0
    paced = delineate(signal, FS)
    assert paced.paced[2:-2].all()
    onset, before = paced.marks["qrs_on"], plain.marks["qrs_on"]
    apart = np.abs(onset[np.isfinite(onset), None] - before[np.isfinite(before)]).min(axis=1)
    assert apart.max() <= 4
    found = measure(ECG(signal, FS))
    assert found["paced"] == 1
    assert np.isnan(found["pr_ms"])  # what the pacemaker waits is no conduction
    assert np.isfinite(found["p_duration_ms"])


@pytest.mark.parametrize(("height_mv", "low_pass_hz"), [(1.5, 40.0), (0.4, 40.0)])
def test_a_stimulus_that_a_filter_has_blunted_paces_and_is_no_part_of_the_qrs(
    height_mv: float, low_pass_hz: float
) -> None:
    ecg, _, _ = fast_heart(60, "lbbb")
    plain = delineate(ecg.signal, FS)
    onset = plain.marks["qrs_on"]
    pulse = np.zeros(5000)
    pulse[np.round(onset[np.isfinite(onset)] - 6).astype(int)] = height_mv  # 12 ms before the QRS
    # no phase, second order: as a recorder's filter
    low = 1 / np.sqrt(1 + (np.fft.rfftfreq(5000, 1 / FS) / low_pass_hz) ** 4)
    blunted = np.fft.irfft(np.fft.rfft(pulse) * low)
    paced = ECG((ecg.signal + blunted).astype(np.float32), FS)
    assert find_spikes(paced.signal, plain.beats).max() < 0  # none is sudden
    found = measure(paced)
    assert found["paced"] == 1
    assert found["qrs_duration_ms"] == pytest.approx(measure(ecg)["qrs_duration_ms"], abs=8)
    assert measure(ecg)["paced"] == 0
