"""What few patients teach on top of a frozen trunk: heads, stacks; and whose trunk it is."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError
from dyssync.keeping import keeping
from dyssync.learning import features
from dyssync.learning.ahead import Look
from dyssync.learning.features import features_of
from dyssync.learning.network import build_encoder, pack_weights
from dyssync.learning.network_file import network_file
from dyssync.learning.picture_config import PictureConfig
from dyssync.learning.stored import stored_network
from dyssync.models.head import fit_head
from dyssync.models.linear import fit_fall, fit_response
from dyssync.models.self_supervised import SelfSupervisedResNet18
from dyssync.models.simulation_supervised import SimulationResNet18
from dyssync.models.stacking import stack_inputs
from dyssync.pretraining.encoder import knows_simulator, shipped_encoder

Toy = tuple[list[ECG], np.ndarray]
NO_FACTS = np.empty((228, 0))


def patients(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns, and falls (%) that the first of them tells in part."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, k))
    return rows, 20 + 10 * rows[:, 0] + rng.normal(0, 12, n)


@pytest.mark.parametrize(("n", "k"), [(40, 90), (90, 7)])
def test_the_fall_is_a_ridge_whose_penalty_leave_one_out_chose(n: int, k: int) -> None:
    rows, falls = patients(n, k)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, n)
    weights /= weights.mean()
    first = np.where(np.arange(k) == 0, 0.1, 1.0)
    penalties = [penalty * first for penalty in (1.0, 30.0, 1000.0)]
    errors = []
    for penalty in penalties:
        ease = penalty**-0.5
        left_out = []
        for i in range(n):
            others = np.arange(n) != i
            fit = Ridge(1.0).fit(rows[others] * ease, falls[others], weights[others])
            left_out.append(fit.predict(rows[[i]] * ease)[0] - falls[i])
        errors.append(np.average(np.square(left_out), weights=weights))
    found = fit_fall(rows, falls, weights, penalties)
    assert found.chosen == int(np.argmin(errors))
    ease = penalties[found.chosen] ** -0.5
    expected = Ridge(1.0).fit(rows * ease, falls, weights).coef_ * ease
    ratio = found.slopes / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
    # per SD of what it misses of patients unseen, in log-odds
    assert ratio[0] == pytest.approx(1.702 / np.sqrt(min(errors)), rel=0.01)


def test_the_response_is_a_logistic_regression_of_these_penalties() -> None:
    rows, falls = patients(60, 100)
    labels = (falls >= 15).astype(np.int64)
    penalty = np.where(np.arange(100) < 5, 1.0, 20.0)
    found = fit_response(rows, labels, np.ones(60), [penalty])
    plain = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000)
    plain.fit((rows - rows.mean(axis=0)) * penalty**-0.5, labels)
    np.testing.assert_allclose(found.slopes, plain.coef_[0] * penalty**-0.5, atol=2e-3)
    assert fit_response(rows, labels, np.ones(60), [1e9 * penalty, penalty]).chosen == 1


def test_weights_of_a_stack_are_a_ridge_that_cannot_be_negative() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=300)
    inputs = np.column_stack([3 * truth, truth, -truth]) + rng.normal(size=(300, 3))
    falls = 18 + 9 * truth + rng.normal(0, 9, 300)
    labels = (falls >= 15).astype(np.int64)
    stack = stack_inputs(inputs, labels, falls, np.ones(300), penalty=10.0)
    z = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    plain = Ridge(10.0, positive=True, tol=1e-10).fit(z, falls)
    assert stack.weights[2] == 0
    ratio = stack.weights[:2] * inputs.std(axis=0)[:2] / plain.coef_[:2]
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-3)
    said = stack_inputs(inputs, labels, None, np.ones(300), penalty=10.0)
    assert (said.weights >= 0).all()
    p = 1 / (1 + np.exp(-(inputs @ said.weights + said.intercept)))
    assert p.mean() == pytest.approx(labels.mean(), abs=0.01)


def test_a_head_goes_along_what_pretraining_read_rather_than_anywhere() -> None:
    rng = np.random.default_rng(3)
    direction = rng.normal(size=(1, 512)).astype(np.float32)
    aurocs = {"told": [], "untold": []}
    for seed in range(5):
        rng = np.random.default_rng([4, seed])
        seen = rng.normal(size=(1228, 512))
        falls = 15 + 0.5 * (seen @ direction[0]) + rng.normal(0, 10, 1228)
        labels = (falls >= 15).astype(np.int64)
        for name, readouts in (("told", {"heart": direction}), ("untold", {})):
            x, y, f = seen[:228], labels[:228], falls[:228]
            head = fit_head(x, readouts, NO_FACTS, y, f, np.ones(228))
            logits = head.logits(seen[228:], np.empty((1000, 0)))
            aurocs[name].append(np.corrcoef(logits, falls[228:])[0, 1])
    assert np.mean(aurocs["told"]) > np.mean(aurocs["untold"]) + 0.1


def test_a_fact_that_is_not_known_is_the_median_and_no_zero() -> None:
    rng = np.random.default_rng(5)
    facts = rng.normal(65, 10, (228, 1))
    falls = 15 + (facts[:, 0] - 65) + rng.normal(0, 5, 228)
    labels = (falls >= 15).astype(np.int64)
    seen = rng.normal(size=(228, 512))
    head = fit_head(seen, {}, facts, labels, falls, np.ones(228))
    same = np.repeat(seen[:1], 3, axis=0)
    asked = np.array([[np.nan], [np.median(facts)], [0.0]])
    unknown, middle, zero = head.logits(same, asked)
    assert unknown == middle
    assert zero < middle - 1


def test_features_of_a_recording_are_computed_once_and_the_trunk_is_shared(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    asked = features.asked_pictures
    monkeypatch.setattr(features, "asked_pictures", lambda *a: looked.append(a) or asked(*a))
    data = network_file(pack_weights(build_encoder()))
    trunk = stored_network(data)
    assert stored_network(bytes(bytearray(data))) is trunk
    with pytest.raises(ModelError, match="the network is damaged"):
        stored_network(data[:-1] + b"x", trunk.digest)
    look = Look(trunk, PictureConfig(size=(64, 64)), views=1)
    with keeping():
        first = features_of(toy[0][:3], look)
        again = features_of([*toy[0][1:4], toy[0][0]], look)
    assert len(looked) == 4
    np.testing.assert_array_equal(again[[3, 0, 1]], first)
    features_of(toy[0][:1], look)
    assert len(looked) == 5, "nothing outlives its owner"


def test_the_two_kinds_of_pretraining_are_never_confused(toy: Toy, tmp_path: Path) -> None:
    shipped_encoder("hearts").save(tmp_path / "hearts")
    taught = str(tmp_path / "hearts")
    with pytest.raises(ModelError, match="supervised by simulation, this model's are by nothing"):
        SelfSupervisedResNet18(encoder=taught).fit(toy[0][:8], toy[1][:8])
    with pytest.raises(ModelError, match=r"128 x 160 px at gain 2, the model has 64 x 64 at 2"):
        SimulationResNet18(encoder=taught, height=64, width=64).fit(toy[0][:8], toy[1][:8])
    with pytest.raises(ModelError, match=r"layout tiles, the model draws 3x4\+II, which shows the"):
        SimulationResNet18(encoder=taught, layout="3x4+II").fit(toy[0][:8], toy[1][:8])
    with pytest.raises(ConfigError, match="method hearts from start shipped"):
        SelfSupervisedResNet18(method="hearts").check_settings("ssl-resnet18")
    with pytest.raises(ConfigError, match="method measurements from start nothing"):
        SimulationResNet18(start="nothing").check_settings("sim-resnet18")
    with pytest.raises(ConfigError, match=r"weights would not be looked at"):
        SimulationResNet18(weights="imagenet.safetensors").check_settings("sim-resnet18")
    model = SimulationResNet18(encoder=taught)
    assert model.encoder_origin(None).startswith("supervised by simulation (hearts) on ")
    own = "then self-supervised (measurements) on ptbxl"
    assert SimulationResNet18().encoder_origin("ptbxl").endswith(own)


def test_who_has_learnt_from_the_simulator_is_known_by_the_words_of_its_origin() -> None:
    alone = {"start": "nothing", "method": "hearts"}
    for model in (SimulationResNet18(), SelfSupervisedResNet18(), SimulationResNet18(**alone)):
        assert knows_simulator(model.encoder_origin("hearts"))
    real = SelfSupervisedResNet18(start="nothing")
    assert not knows_simulator(real.encoder_origin("archive of a simulation centre"))
