"""The stages of a virtual heart, each against an outside formula or a law it must keep."""

import numpy as np
import pytest
from scipy.special import erf, expit, ndtr

from dyssync.ecg import LEADS
from dyssync.simulation.activation import Site, Tissue, activation_times, travel_graph
from dyssync.simulation.beat import measure_clean_beat
from dyssync.simulation.conduction import CONDUCTION_TYPES, draw_sites
from dyssync.simulation.heart import Heart, HeartShape, build_heart, lv_volume_ml, source_weights
from dyssync.simulation.leads import Torso, heart_axes, lead_matrix
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient
from dyssync.simulation.potentials import (
    LEAD_IN_MS,
    Repolarisation,
    depolarisation_rate,
    repolarisation_times,
    sources,
)
from dyssync.simulation.recording import clean_beat
from dyssync.simulation.scar import Scar, scar_density
from dyssync.simulation.texture import draw_texture, unevenness


@pytest.fixture(scope="module")
def heart() -> Heart:
    return build_heart(HeartShape(25, 42, 9.5))


@pytest.fixture(scope="module")
def activation(heart: Heart) -> np.ndarray:
    graph = travel_graph(heart, Tissue(), np.zeros(len(heart)))
    sites = draw_sites("lbbb", np.random.default_rng(0))
    return activation_times(heart, graph, [sites])[0]


def test_volume_of_the_cavity_is_that_of_the_cut_ellipsoid() -> None:
    shape = HeartShape(30, 50, 10)
    level = np.linspace(-0.40 * 60, 50, 200_001)
    area = np.pi * 30**2 * (1 - (level / 50) ** 2)
    assert lv_volume_ml(shape) == pytest.approx(np.trapezoid(area, level) / 1000, rel=1e-6)


def test_equal_potential_everywhere_shows_nowhere(heart: Heart) -> None:
    alive = np.random.default_rng(0).random(len(heart))
    weights = source_weights(heart, alive)
    assert (np.abs(weights.sum(axis=0)) < 1e-9 * np.abs(weights).sum(axis=0)).all()


def test_a_linear_potential_gives_minus_its_gradient_times_the_volume(heart: Heart) -> None:
    gradient = np.array([0.3, -0.2, 0.5])
    volume = len(heart) * 2.5**3
    weights = source_weights(heart, np.ones(len(heart)))
    seen = (heart.position @ gradient) @ weights[:, :3]
    # Half of the differences at the surface are missing on a grid; the direction is kept.
    assert np.dot(seen, -gradient) > 0.7 * volume * np.dot(gradient, gradient)
    assert np.dot(seen, -gradient) > 0.98 * np.linalg.norm(seen) * np.linalg.norm(gradient)


def test_activation_is_never_faster_than_the_straight_line(heart: Heart) -> None:
    tissue = Tissue()
    graph = travel_graph(heart, tissue, np.zeros(len(heart)))
    times = activation_times(heart, graph, [(Site("right wall", 0.1, 0.8),)])[0]
    start = heart.position[np.argmin(times)]
    distance = np.linalg.norm(heart.position - start, axis=1)
    fastest = tissue.speed * max(tissue.lv_endocardial_factor, tissue.rv_endocardial_factor)
    assert times.min() == 0
    assert (times >= distance / fastest - 1e-9).all()


def test_texture_has_the_spread_that_was_asked_for_and_differs_between_patients(
    heart: Heart,
) -> None:
    fields = [
        unevenness(heart.position, draw_texture(np.random.default_rng(seed), 0.25))
        for seed in range(20)
    ]
    assert np.std(fields) == pytest.approx(0.25, rel=0.1)
    assert abs(np.corrcoef(fields[0], fields[1])[0, 1]) < 0.5


def test_left_bundle_branch_block_reaches_the_lateral_wall_last(
    heart: Heart, activation: np.ndarray
) -> None:
    lateral = np.abs(heart.angle[heart.is_lv]) > 2.4
    septal = np.abs(heart.angle[heart.is_lv]) < 0.7
    lv = activation[heart.is_lv]
    assert lv[lateral].mean() > lv[septal].mean() + 30
    assert activation[~heart.is_lv].mean() < lv.mean()


def test_beat_equals_the_sum_over_nodes(heart: Heart, activation: np.ndarray) -> None:
    kind = Repolarisation(texture=draw_texture(np.random.default_rng(1), 7.0))
    fall = repolarisation_times(heart, activation, kind)
    weights = source_weights(heart, np.ones(len(heart)))
    beat = sources(weights, activation, fall, kind)
    times = np.arange(0.0, 500.0, 25.0)
    after_up, after_fall = times - activation[:, None], times - fall[:, None]
    # upstroke: SD 1.2 ms; a third of the plateau falls 85 (SD 55) ms before a logistic phase 3
    left = 0.67 * expit(after_fall / 22.0) + 0.33 * ndtr((after_fall + 85.0) / 55.0)
    slow = weights[:, :3].T @ (ndtr(after_up / 1.2) - left)
    fast = beat[:3, (times + LEAD_IN_MS).astype(int)]
    assert np.abs(fast - slow).max() < 0.04 * np.abs(slow).max()


def test_far_electrodes_see_the_dipole_alone() -> None:
    matrix = lead_matrix(Torso())
    assert np.abs(matrix[6:, 3:]).max() == 0
    assert np.abs(matrix[:6, 3:]).max() > 0


def test_left_anterior_block_turns_the_axis_left(heart: Heart) -> None:
    graph = travel_graph(heart, Tissue(), np.zeros(len(heart)))
    weights = source_weights(heart, np.ones(len(heart)))

    def qrs(conduction: str) -> dict[str, np.ndarray]:
        times = activation_times(heart, graph, [draw_sites(conduction, np.random.default_rng(2))])
        rate = depolarisation_rate(weights, times[0])
        beat = sources(weights, times[0], times[0] + 300.0, Repolarisation())
        shown = np.flatnonzero(np.abs(rate).sum(axis=0) > 0)
        leads = clean_beat(beat, Torso())[:, shown[0] : shown[-1]]
        return dict(zip(LEADS, leads, strict=True))

    normal, blocked = qrs("normal"), qrs("lafb")
    for lead in ("III", "aVF"):  # rS
        assert -blocked[lead].min() > 1.5 * blocked[lead].max()
        assert -normal[lead].min() < normal[lead].max()
    assert blocked["aVL"].max() > -2 * blocked["aVL"].min()  # qR


@pytest.mark.parametrize("conduction", CONDUCTION_TYPES)
def test_every_kind_of_conduction_activates_the_whole_heart(heart: Heart, conduction: str) -> None:
    graph = travel_graph(heart, Tissue(), np.zeros(len(heart)))
    times = activation_times(heart, graph, [draw_sites(conduction, np.random.default_rng(1))])
    assert np.isfinite(times).all()


@pytest.mark.parametrize("conduction", CONDUCTION_TYPES)
def test_a_right_ventricle_too_narrow_for_the_grid_is_activated_through_its_wall(
    conduction: str,
) -> None:
    narrow = build_heart(HeartShape(24, 38.3, 7.15, 6.6, 0.8, -0.37, rv_offset=0.557))
    assert not narrow.rv_endo.any()
    graph = travel_graph(narrow, Tissue(), np.zeros(len(narrow)))
    times = activation_times(narrow, graph, [draw_sites(conduction, np.random.default_rng(1))])
    assert np.isfinite(times).all()


def test_einthoven_and_goldberger_hold_in_the_recording() -> None:
    for k in range(5):
        rng = np.random.default_rng(k)
        signal = simulate_patient(draw_patient(rng, "archive"), rng).signal
        micro = np.rint(signal.astype(np.float64) * 1000).astype(int)
        assert np.abs(signal * 1000 - micro).max() < 1e-3
        one, two, three, avr, avl, avf = micro[:6]
        assert (three == two - one).all()
        assert (2 * avr == -(one + two)).all()
        assert (2 * avl == 2 * one - two).all()
        assert (2 * avf == 2 * two - one).all()


def test_response_does_not_change_the_recording() -> None:
    first, second = np.random.default_rng(9), np.random.default_rng(9)
    with_it = simulate_patient(draw_patient(first), first)
    without = simulate_patient(draw_patient(second), second, with_response=False)
    assert (with_it.signal == without.signal).all()
    assert with_it.response is not None
    assert without.response is None
    assert (with_it.intrinsic, with_it.muscle_ml) == (without.intrinsic, without.muscle_ml)


@pytest.mark.parametrize(
    ("artery", "low", "high"),
    [("LAD", -0.5, 0.0), ("RCA", 0.4, 0.6), ("LCX", 0.75, 1.0)],
)
def test_each_artery_s_scar_lies_in_its_wall(
    heart: Heart, artery: str, low: float, high: float
) -> None:
    # Cerqueira 2002. Round the LV axis, in half turns: 0 septum, 0.5 inferior, 1 lateral, -0.5
    # anterior; the foot is where it should be.
    density = scar_density(heart, Scar(artery, 0.7))
    middle = np.angle((density * np.exp(1j * heart.angle)).sum()) / np.pi
    assert low < middle < high
    inferior = heart_axes(Torso()) @ np.array([0.0, 1.0, 0.0])
    assert inferior[1] > 0.7  # Y: towards the feet


def test_a_clean_qrs_lasts_as_long_as_its_upstrokes_are_seen() -> None:
    # upstrokes spread like a normal distribution over SD 25 ms; readers do not see its far tails
    time = np.arange(720.0)
    rate = np.exp(-0.5 * ((time - 200) / 25) ** 2)[None, :] * np.linspace(0.5, 1.5, 12)[:, None]
    truth = measure_clean_beat(np.cumsum(rate, axis=1), rate)
    seen = erf(truth.qrs_ms / 2 / 25 / np.sqrt(2))
    assert 0.985 < seen < 0.995
