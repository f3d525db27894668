"""One answer: by the model that was graded best, in natural frequencies, or none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from dyssync.inspection.short_answer import graded_brier, in_words, short_answer
from dyssync.prediction.crossfit import CrossFit
from dyssync.prediction.predictor import ModelPrediction, Prediction

SAID = ModelPrediction(0.71, "ECG alone", 0.58, 0.82, 0.05, "responder", "defer")
OTHER = replace(SAID, probability=0.2, set_80="non-responder")


def prediction(**models: ModelPrediction) -> Prediction:
    return Prediction("upload", 0.63, models, (), {})


def test_the_first_of_the_order_answers_whatever_the_others_say() -> None:
    found = short_answer(prediction(a=SAID, b=OTHER), ("b", "a"))
    assert found is not None
    assert (found.model, found.of_100, found.verdict) == ("b", 20, "non-responder")
    only_a = short_answer(prediction(a=SAID), ("b", "a"))
    assert only_a is not None
    assert only_a.model == "a"
    assert short_answer(prediction(rule=SAID), ("b", "a")) is None


def test_the_sentence_is_in_natural_frequencies() -> None:
    found = short_answer(prediction(a=SAID), ("a",))
    assert found is not None
    words = "Of 100 such patients, 71 responded (58 to 82); in the study 63 of 100 did."
    assert in_words(found) == words


def test_the_range_holds_the_answer_even_where_calibrations_differ() -> None:
    found = short_answer(prediction(a=replace(SAID, probability=0.9)), ("a",))
    assert found is not None
    assert (found.low, found.of_100, found.high) == (58, 90, 90)


@pytest.mark.parametrize(("level", "verdict"), [(80, "responder"), (90, "defer")])
def test_the_level_was_chosen_before(level: int, verdict: str) -> None:
    found = short_answer(prediction(a=SAID), ("a",), level)
    assert found is not None
    assert found.verdict == verdict


def test_a_model_that_knows_nothing_defers_and_says_the_base_rate() -> None:
    silent = ModelPrediction(0.63, "base rate", None, None, None, "responder", "responder")
    found = short_answer(prediction(a=silent), ("a",))
    assert found is not None
    assert (found.of_100, found.verdict) == (None, "defer")
    assert in_words(found) == "Nothing can be said of this patient; in the study 63 of 100 did."


def test_models_are_ordered_by_the_answers_to_patients_they_had_not_seen() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 60)
    z = rng.normal(y - 0.5, 1.0)
    fit = CrossFit(
        members=("fit-1", "fit-2"), centres=(0.0, 0.0), scales=(1.0, 1.0), slope=9.0, intercept=9.0,
        graded_slope=0.8, graded_intercept=0.1, base_rate=0.5, outcomes=tuple(y.tolist()),
        tested_by=((0, 1),) * 60, scores=tuple((float(v) - 0.1, float(v) + 0.1) for v in z),
    )  # fmt: skip
    expected = np.mean((expit(0.1 + 0.8 * z) - y) ** 2)
    assert graded_brier(fit) == pytest.approx(expected)
    untested = replace(fit, outcomes=(), tested_by=(), scores=())
    assert graded_brier(untested) == 0.25
