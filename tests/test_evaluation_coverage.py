"""Coverage of conformal sets: counted by hand, and right where p-values are."""

import numpy as np
import pandas as pd
import pytest

from dyssync.evaluation.coverage import coverage_table, share_interval


def answers(y: list[int], no: list[float], yes: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"model": "m", "y": y, "p_non_responder": no, "p_responder": yes})


def test_counts_of_five_patients() -> None:
    """At 80 %: sets {yes}, {no}, both, none, and both where nothing is known."""
    table = coverage_table(
        answers([1, 1, 1, 0, 0], [0.1, 0.9, 0.5, 0.1, np.nan], [0.9, 0.1, 0.5, 0.1, 0.3]), [0.8]
    ).set_index("outcome")
    assert table["n"].to_dict() == {"non-responder": 2, "responder": 3, "all": 5}
    assert table["covered"].to_dict() == {
        "non-responder": 1 / 2, "responder": 2 / 3, "all": 3 / 5,
    }  # fmt: skip
    # the empty set is no answer, either
    assert table.loc["all", "deferred"] == 3 / 5


def test_uniform_p_values_cover_as_promised() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 20_000)
    p = rng.random((2, len(y)))
    table = coverage_table(answers(y.tolist(), p[0].tolist(), p[1].tolist()))
    np.testing.assert_allclose(table["covered"], table["level"], atol=0.01)
    assert ((table["low"] < table["level"]) & (table["level"] < table["high"])).mean() > 0.8


def test_interval_is_the_published_one_and_there_is_none_without_patients() -> None:
    """Newcombe RG. Stat Med 1998;17:857, table I, method 3: 81 of 263."""
    found = share_interval(np.arange(263) < 81)
    assert found == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)
    assert np.isnan(share_interval(np.zeros(0, dtype=bool))).all()
