"""Corrected intervals and tests, and the tables of the protocol."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dyssync.evaluation.protocol import metric_table, pairwise_tests, summarise_metrics
from dyssync.evaluation.resampling import corrected_mean

VALUES = np.array([0.74, 0.81, 0.79, 0.70, 0.83, 0.77])


def test_without_overlap_the_test_is_student_s() -> None:
    found = corrected_mean(VALUES, test_share=0.0)
    expected = stats.ttest_1samp(VALUES, 0.0)
    interval = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_overlap_widens_the_interval_by_the_published_factor() -> None:
    # Nadeau & Bengio 2003: variance of the mean is (1/J + n_test/n_train) times that of a value
    plain, corrected = corrected_mean(VALUES, 0.0), corrected_mean(VALUES, 0.25)
    ratio = (corrected.high - corrected.low) / (plain.high - plain.low)
    assert ratio == pytest.approx(np.sqrt((1 / 6 + 0.25) / (1 / 6)))


def test_the_study_s_own_uncertainty_is_reproduced() -> None:
    # ten 80/20 splits with SD 5.5 % have a corrected interval of +/- 7.4 %
    values = 0.785 + 0.055 * stats.zscore(np.arange(10.0), ddof=1)
    found = corrected_mean(values, 0.25)
    assert found.high - found.mean == pytest.approx(0.074, abs=5e-4)


def test_undefined_values_are_counted_not_averaged() -> None:
    found = corrected_mean(np.array([0.5, np.nan, 0.7]), 0.25)
    assert (found.mean, found.n) == (pytest.approx(0.6), 2)
    assert corrected_mean(np.array([np.nan]), 0.25).n == 0
    assert np.isnan(corrected_mean(np.array([0.7]), 0.25).low)


@pytest.mark.parametrize(("difference", "p_value"), [(0.0, 1.0), (0.1, 0.0)])
def test_differences_without_spread_are_certain(difference: float, p_value: float) -> None:
    found = corrected_mean(np.full(5, difference), 0.25)
    assert (found.sd, found.p_value) == (0.0, p_value)


def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for seed in (1, 2, 3):
        for part in ("validation", "test"):
            for i in range(20):
                y = i % 2
                rows.append(
                    ("good", seed, f"p{i}", part, y, np.clip(0.5 * y + rng.random() / 1.5, 0, 1))
                )
                rows.append(("none", seed, f"p{i}", part, y, 0.4))
    return pd.DataFrame(rows, columns=["model", "seed", "patient_id", "part", "y", "p"])


def test_tables_hold_a_row_for_each_model_seed_and_metric() -> None:
    metrics = metric_table(predictions())
    assert not metrics.duplicated(["model", "seed", "threshold_rule", "metric"]).any()
    # 5 metrics with a threshold and the threshold itself by 2 rules, 3 without
    assert len(metrics) == 2 * 3 * (2 * 6 + 3)
    ppv = metrics[(metrics["model"] == "none") & (metrics["metric"] == "ppv")]
    assert ppv[ppv["threshold_rule"] == "fixed"]["value"].isna().all()
    summary = summarise_metrics(metrics, 0.25).set_index(["model", "threshold_rule", "metric"])
    assert summary.loc[("none", "fixed", "ppv"), "n_undefined"] == 3
    assert summary.loc[("none", "none", "auroc"), "mean"] == 0.5


def test_an_interval_ends_where_its_metric_ends() -> None:
    values = np.array([0.9, 1.0])
    held = {"model": "m", "seed": [1, 2], "threshold_rule": "fixed", "metric": "ppv"}
    row = summarise_metrics(pd.DataFrame({**held, "value": values}), 0.25).iloc[0]
    uncut = corrected_mean(values, 0.25)
    assert uncut.high > 1
    assert uncut.low > 0
    assert (row["low"], row["high"]) == (uncut.low, 1.0)


def test_threshold_of_the_validation_part_never_sees_the_test_part() -> None:
    table = predictions()
    changed = table.copy()
    test = changed["part"] == "test"
    changed.loc[test, "p"] = 1 - changed.loc[test, "p"]

    def thresholds(held: pd.DataFrame) -> pd.DataFrame:
        metrics = metric_table(held)
        return metrics[metrics["metric"] == "threshold"].reset_index(drop=True)

    pd.testing.assert_frame_equal(thresholds(table), thresholds(changed))


def test_pairwise_difference_is_that_of_the_means() -> None:
    metrics = metric_table(predictions())
    tests = pairwise_tests(metrics, 0.25)
    row = tests[tests["metric"] == "auroc"].iloc[0]
    summary = summarise_metrics(metrics, 0.25).set_index(["model", "metric"])["mean"]
    assert row["difference"] == pytest.approx(summary["good", "auroc"] - 0.5)
    assert row["n_seeds"] == 3
    assert row["p_value"] < 0.05
