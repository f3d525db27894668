"""Venn-Abers intervals against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from dyssync.errors import InputError
from dyssync.evaluation.venn_abers import fit_venn_abers

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(-5, 5)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(-14, 14).map(lambda half: half / 2))
def test_interval_is_two_isotonic_fits_with_the_new_patient(
    rows: list[tuple[int, int]], new: float
) -> None:
    y, z = (np.array(column) for column in zip(*rows, strict=True))
    z = z.astype(float)
    found = fit_venn_abers(z, y).intervals(np.array([new]))[0]
    for outcome in (0, 1):
        fit = IsotonicRegression().fit(np.append(z, new), np.append(y, outcome))
        assert found[outcome] == pytest.approx(fit.predict([new])[0])
    assert found[0] <= found[1]


def test_intervals_rise_with_the_logit_and_narrow_with_patients() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (50, 800):
        z = rng.normal(size=n)
        y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(np.int64)
        found = fit_venn_abers(z, y).intervals(np.linspace(-2, 2, 41))
        assert (np.diff(found, axis=0) >= 0).all()
        widths.append(np.diff(found).mean())
    assert widths[1] < widths[0] / 3


def test_unknown_logits_stay_unknown() -> None:
    z, y = np.array([0.0, np.nan, 1.0]), np.array([0, 1, 1])
    found = fit_venn_abers(z, y).intervals(np.array([np.nan, 0.0]))
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([0.0, 0.5])
    with pytest.raises(InputError, match="nobody has a logit"):
        fit_venn_abers(np.array([np.nan]), np.array([1]))
