"""What every registered model must do, and that no model escapes the check."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.metrics import roc_auc_score

from dyssync.ecg import ECG
from dyssync.errors import ConfigError, ModelError
from dyssync.image import ECGImage
from dyssync.keeping import keeping
from dyssync.learning.network_input import asked_pictures
from dyssync.learning.picture_config import PictureConfig
from dyssync.models import MODELS
from dyssync.models.base import ProbabilityMixin
from dyssync.models.protocols import Ranges, State, UsesFacts, takes_pictures
from dyssync.study.config import PRESETS
from dyssync.study.virtual import SHORTENED

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("models")

Toy = tuple[list[ECG], np.ndarray]

CLEAN = {"training_layouts": "same", "papers": "plain", "wear": 0.0}
SMALL = {"height": 64, "width": 64, "epochs": 6, "batch_size": 8, "test_views": 1, **CLEAN}
# parameters that make each model quick on 32 toy ECGs
QUICK: dict[str, dict[str, Any]] = {
    "resnet18": SMALL,
    "ssl-resnet18": {**SMALL, "start": "nothing", "pretraining_passes": 1, "clinical": True},
    "sim-resnet18": {"head": "tuned", "epochs": 2, "clinical": True},
    "combined": {},
    "lightgbm": {"rounds": 40, "min_leaf": 3},
    "ridge": {"fall_penalty": 10.0, "response_penalty": 10.0},
    "logistic": {},
    "guideline-esc-2021": {},
    "guideline-hrs-2023": {},
    "qrs-area": {},
    "lbbb-strauss": {},
    "prevalence": {},
}
# for tests that fit: what has epochs is a network, which trains for seconds
FITTED = [
    pytest.param(name, marks=pytest.mark.slow if "epochs" in quick else ())
    for name, quick in QUICK.items()
]
# rows drawn at random would not be the same people
WHOLE: dict[str, dict[str, Any]] = {"lightgbm": {"row_share": 1.0}}
KNOWS_NOTHING = {"prevalence", "lbbb-strauss"}  # the formula's wide QRS has no notch
RULES = {"guideline-esc-2021", "guideline-hrs-2023", "qrs-area", "lbbb-strauss"}
NO_CHANCE = {"prevalence", "logistic", "ridge", "combined", *RULES}  # nothing random in them


def parts(toy: Toy) -> tuple[Toy, Toy]:
    x, y = toy
    return (x[:32], y[:32]), (x[32:], y[32:])


@pytest.fixture(scope="module", autouse=True)
def measured_once() -> Iterator[None]:
    with keeping():
        yield


@pytest.fixture(scope="module")
def fitted(toy: Toy) -> Callable[[str], Any]:
    held: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in held:
            train, _ = parts(toy)
            held[name] = MODELS[name](**QUICK[name]).fit(*train, seed=3)
        return held[name]

    return get


def test_tests_that_share_fixtures_stay_in_one_process(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("only where the tests are dealt out to processes: make test")
    assert request.node.nodeid.endswith("@models"), "pytest-xdist ignores the groups"


def test_every_model_is_under_contract_and_in_the_readme() -> None:
    assert set(QUICK) == set(MODELS)
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [name for name in MODELS if f"`{name}`" not in readme] == [], "no row in README.md"


@pytest.mark.parametrize("name", QUICK)
def test_scikit_learn_takes_it_for_a_classifier_without_being_imported(name: str) -> None:
    model = MODELS[name](**QUICK[name])
    assert is_classifier(model)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert copy.set_params(**QUICK[name]) is copy
    with pytest.raises(ConfigError, match="unknown parameter of"):
        copy.set_params(no_such=1)


@pytest.mark.parametrize("name", QUICK)
def test_no_parameter_escapes_its_check(name: str) -> None:
    plain = MODELS[name]()
    plain.check_settings(name)
    for key, value in plain.get_params().items():
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            nonsense = "no such thing" if isinstance(value, str) else type(value)(-(10**12))
            with pytest.raises(ConfigError, match=r"-1e\+12|no such thing"):
                MODELS[name](**{key: nonsense}).check_settings(name)


@pytest.mark.parametrize("name", QUICK)
def test_presets_are_known_and_can_be_run(name: str) -> None:
    presets = MODELS[name]().PRESETS
    assert set(presets) <= {*PRESETS, SHORTENED}
    for changes in presets.values():
        MODELS[name](**changes).check_settings(name)


def test_number_of_a_new_model_is_refused_until_its_range_is_stated() -> None:
    class Neighbours(ProbabilityMixin):
        def __init__(self, *, k: int = 5) -> None:
            self.k = k

    class Careful(Neighbours):
        RANGES: ClassVar[Ranges] = {"k": (1, 100)}

    with pytest.raises(ConfigError, match=r"neighbours\.k is a number without a range.*Neighbours"):
        Neighbours(k=-3).check_settings("neighbours")
    with pytest.raises(ConfigError, match=r"neighbours\.k is -3; 1 to 100 is needed"):
        Careful(k=-3).check_settings("neighbours")
    Careful(k=3).check_settings("neighbours")


@pytest.mark.parametrize("name", FITTED)
def test_fit_returns_self_and_probabilities_are_probabilities(
    name: str, fitted: Callable[[str], Any], toy: Toy
) -> None:
    x = toy[0][32:]
    p = fitted(name).response_probability(x)
    assert p.shape == (len(x),)
    assert p.dtype == np.float64
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_array_equal(fitted(name).predict_proba(x)[:, 1], p)
    np.testing.assert_array_equal(fitted(name).predict(x), (p >= 0.5).astype(int))


@pytest.mark.parametrize("name", [p for p in FITTED if p.values[0] not in KNOWS_NOTHING])
def test_planted_signal_is_learnt(name: str, fitted: Callable[[str], Any], toy: Toy) -> None:
    x, y = parts(toy)[1]
    p = fitted(name).response_probability(x)
    assert roc_auc_score(y, p) > 0.8
    assert p[y == 1].mean() > p[y == 0].mean() + 0.1


@pytest.mark.parametrize("name", FITTED)
def test_same_seed_same_numbers_and_two_seeds_differ(
    name: str, fitted: Callable[[str], Any], toy: Toy
) -> None:
    train, rest = parts(toy)
    x = rest[0]
    first = fitted(name).response_probability(x)
    again = clone(fitted(name)).fit(*train, seed=3).response_probability(x)
    np.testing.assert_array_equal(first, again)
    if name not in NO_CHANCE:
        other = MODELS[name](**QUICK[name]).fit(*train, seed=4)
        assert not np.array_equal(first, other.response_probability(x))


@pytest.mark.parametrize("name", FITTED)
def test_each_recording_is_judged_alone(name: str, fitted: Callable[[str], Any], toy: Toy) -> None:
    x = toy[0][32:]
    p = fitted(name).response_probability(x)
    backwards = fitted(name).response_probability(x[::-1])[::-1]
    np.testing.assert_allclose(
        p, backwards, atol=2e-3
    )  # bf16 sums differ with the place in a batch


@pytest.mark.parametrize("name", FITTED)
def test_state_survives_json_and_gives_equal_probabilities(
    name: str, fitted: Callable[[str], Any], toy: Toy
) -> None:
    model = fitted(name)
    state = model.state()
    back = State(json.loads(json.dumps(state.values)), dict(state.files))
    restored = MODELS[name](**model.get_params()).restore(back)
    x = toy[0][:4]
    np.testing.assert_array_equal(restored.response_probability(x), model.response_probability(x))
    assert restored.state() == state


@pytest.mark.parametrize("name", FITTED)
def test_picture_is_judged_or_refused_by_name(
    name: str, fitted: Callable[[str], Any], toy: Toy
) -> None:
    model, ecg = fitted(name), toy[0][40]
    grey = asked_pictures(ecg, PictureConfig((480, 640), gain=2.0), 1)[0]
    page = ECGImage(np.repeat(grey[:, :, None], 3, axis=2))
    if takes_pictures(model):
        p = model.response_probability([page, ecg])
        assert ((p >= 0) & (p <= 1)).all()
    else:
        with pytest.raises(ModelError, match="needs signals; memory is a picture"):
            model.response_probability([page, ecg])


@pytest.mark.parametrize("name", QUICK)
def test_unfitted_model_says_so(name: str, toy: Toy) -> None:
    with pytest.raises(ModelError, match="not fitted"):
        MODELS[name]().response_probability(toy[0][:1])


@pytest.mark.parametrize("name", QUICK)
def test_labels_of_one_class_are_refused(name: str, toy: Toy) -> None:
    with pytest.raises(ModelError, match="one class"):
        MODELS[name](**QUICK[name]).fit(toy[0][:4], np.ones(4, dtype=np.int64))


@pytest.mark.parametrize("name", FITTED)
def test_a_validation_part_may_stop_training_and_is_not_learnt_from(name: str, toy: Toy) -> None:
    train, rest = parts(toy)
    stopped = MODELS[name](**QUICK[name]).fit(*train, seed=3, validation=rest)
    p = stopped.response_probability(rest[0])
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("name", FITTED)
def test_logits_are_those_of_the_probabilities(
    name: str, fitted: Callable[[str], Any], toy: Toy
) -> None:
    x = toy[0][32:36]
    logits, p = fitted(name).logits(x), fitted(name).response_probability(x)
    known = np.isfinite(logits)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits[known])), p[known], atol=2e-3)
    np.testing.assert_array_equal(p[~known], fitted(name).base_rate_)


@pytest.mark.parametrize("name", FITTED)
def test_without_a_heartbeat_the_answer_is_the_base_rate(
    name: str, fitted: Callable[[str], Any]
) -> None:
    slope = np.linspace(0, 1, 2500, dtype=np.float32) * np.ones((12, 1), dtype=np.float32)
    nothing = ECG(slope, 250.0)
    assert np.isnan(fitted(name).logits([nothing])).all()
    assert fitted(name).response_probability([nothing])[0] == 0.5  # 16 of 32


@pytest.mark.parametrize("name", [n for n in QUICK if "epochs" not in QUICK[n]])
def test_recordings_of_one_patient_share_the_weight_of_one(name: str, toy: Toy) -> None:
    (x, y), rest = parts(toy)
    seen = MODELS[name](**{**QUICK[name], **WHOLE.get(name, {})})
    once = clone(seen).fit(x, y).response_probability(rest[0])
    thrice = np.repeat(np.arange(len(x)), np.where(y == 0, 3, 1))
    shared = np.where(y == 0, 1 / 3, 1.0)[thrice]
    again = clone(seen).fit([x[i] for i in thrice], y[thrice], weight=shared)
    assert again.base_rate_ == pytest.approx(0.5)
    p = again.response_probability(rest[0])
    assert p.mean() == pytest.approx(once.mean(), abs=0.03)
    unshared = clone(seen).fit([x[i] for i in thrice], y[thrice])
    assert unshared.base_rate_ == pytest.approx(0.25)
    with pytest.raises(ModelError, match="weights of 32 recordings"):
        clone(seen).fit(x, y, weight=np.zeros(32))


@pytest.mark.parametrize("name", [n for n in QUICK if isinstance(MODELS[n](), UsesFacts)])
def test_ecg_alone_is_blind_to_clinical_facts(name: str, toy: Toy) -> None:
    (x, y), rest = parts(toy)
    alone = MODELS[name](**QUICK[name]).ecg_alone()
    assert alone.ecg_alone() is None
    alone.fit(x, y)
    plain = alone.response_probability(rest[0])
    told = [replace(e, age=80.0, sex="F", clinical={"lvef": 10.0, "nyha": 4.0}) for e in rest[0]]
    np.testing.assert_array_equal(alone.response_probability(told), plain)


@pytest.mark.parametrize("name", ["lightgbm", "ridge", "combined"])
def test_the_fall_itself_is_learnt_where_it_is_known(name: str, toy: Toy) -> None:
    (x, y), rest = parts(toy)
    rng = np.random.default_rng(0)
    fall = np.where(y == 1, 30.0, 0.0) + rng.normal(0, 5, len(y))
    model = MODELS[name](**QUICK[name])
    told = clone(model).fit(x, y, fall=fall)
    p = told.response_probability(rest[0])
    assert roc_auc_score(rest[1], p) > 0.8
    assert not np.allclose(p, clone(model).fit(x, y).response_probability(rest[0]))
    # nobody's fall is known: the response is learnt
    unknown = clone(model).fit(x, y, fall=np.full(len(y), np.nan))
    plain = clone(model).fit(x, y)
    np.testing.assert_array_equal(unknown.logits(rest[0]), plain.logits(rest[0]))
    # an absurd volume weighs no more than the largest fall that can be
    wild = fall.copy()
    wild[0] = -1e6
    assert np.isfinite(clone(model).fit(x, y, fall=wild).logits(rest[0])).all()
    back = State(json.loads(json.dumps(told.state().values)), dict(told.state().files))
    restored = MODELS[name](**model.get_params()).restore(back)
    np.testing.assert_array_equal(restored.logits(rest[0]), told.logits(rest[0]))


@pytest.mark.parametrize("name", ["lightgbm", "ridge", "logistic", "combined"])
def test_contributions_sum_to_the_log_odds(
    name: str, fitted: Callable[[str], Any], toy: Toy
) -> None:
    model, x = fitted(name), toy[0][32:]
    found = model.contributions(x)
    p = model.response_probability(x)
    assert found.log_odds.shape == found.values.shape == (len(x), len(found.names))
    total = found.log_odds.sum(axis=1) + found.base
    np.testing.assert_allclose(total, np.log(p / (1 - p)), atol=1e-6)


@pytest.mark.parametrize("name", sorted(RULES))
def test_rule_keeps_its_order_whatever_the_labels_say(name: str, toy: Toy) -> None:
    x, y = toy
    scores = np.array([MODELS[name]().score(e) for e in x])
    known = np.isfinite(scores)
    order = np.sign(np.subtract.outer(scores[known], scores[known]))
    for labels in (y, 1 - y):
        model = MODELS[name]().fit(x, labels)
        p = model.response_probability(x)[known]
        np.testing.assert_array_equal(np.sign(np.subtract.outer(p, p)), order)
    assert all(isinstance(model.statement(e), str) for e in x[:2])
