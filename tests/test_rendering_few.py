"""NumPy draws the first pictures of a process, compiled loops all later ones: the same bits."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyssync.ecg import Signal
from dyssync.layouts import LAYOUTS
from dyssync.rendering import ViewConfig, apply_view, draw_view, few, loops, trace


def drawn_by(which: object, *asked: object) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "engine", lambda: which)
        return apply_view(*asked).image


def signal_of(rng: np.random.Generator, fs: float) -> Signal:
    """A wild walk, with gaps of all lengths."""
    signal = np.cumsum(rng.normal(0, 0.2, (12, round(4 * fs))), axis=1).astype(np.float32)
    for _ in range(rng.integers(6)):
        start = rng.integers(signal.shape[1])
        signal[rng.integers(12), start : start + rng.integers(1, 200)] = np.nan
    return signal


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([50.0, 250.0, 500.0, 977.0]), st.integers(8, 400))
def test_both_engines_leave_the_same_bits(seed: int, fs: float, width: int) -> None:
    rng = np.random.default_rng(seed)
    names = tuple(name for name in LAYOUTS if LAYOUTS[name].source == "rhythm")
    config = ViewConfig(layouts=names, hide_share=0.3, gain=(0.5, 4.0))
    view = draw_view(rng, config)
    asked = (signal_of(rng, fs), fs, view, (round(width * 0.8), width))
    np.testing.assert_array_equal(drawn_by(few, *asked), drawn_by(loops, *asked))


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.02, 0.5, 1.0]))
def test_both_engines_find_the_same_grey(seed: int, share: float) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (20, 31), dtype=np.uint8)
    assert few.grey_at_share(image, share) == loops.grey_at_share(image, share)


def test_a_process_that_draws_much_comes_to_compiled_loops_by_itself() -> None:
    text = (
        "import sys; from dyssync.rendering.engine import FEW, engine\n"
        "assert {engine().__name__ for _ in range(FEW)} == {'dyssync.rendering.few'}\n"
        "assert 'numba' not in sys.modules\n"
        "assert engine().__name__ == 'dyssync.rendering.loops'"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
