"""The torch rasteriser draws the same pictures, and its gradient is that of the picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dyssync.errors import ConfigError
from dyssync.explanation.raster import raster_views
from dyssync.rendering import View, ViewConfig, apply_view, draw_view


def beats(fs: float) -> torch.Tensor:
    """(12, n) smooth beats of different height, mV."""
    phase = torch.arange(int(10 * fs), dtype=torch.float64) / fs % 0.8
    qrs = torch.exp(-(((phase - 0.3) / 0.025) ** 2))
    wave = 0.2 * torch.exp(-(((phase - 0.55) / 0.06) ** 2))
    return torch.linspace(-1, 1.5, 12, dtype=torch.float64)[:, None] * qrs + wave


@pytest.mark.parametrize("fs", [125, 500])
@pytest.mark.parametrize("size", [(96, 120), (300, 400)])
def test_batch_equals_single_pictures_within_a_grey_level(fs: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    config = ViewConfig(layouts=("3x4+II", "12x1-cabrera", "4x3"), hide_share=0.5)
    views = [View(), View("6x2"), *(draw_view(rng, config) for _ in range(6))]
    signal = beats(fs).float()
    batch = raster_views(signal.repeat(len(views), 1, 1), fs, views, size)
    assert batch.shape == (len(views), 1, *size)
    for picture, view in zip(batch[:, 0].numpy(), views, strict=True):
        single = apply_view(signal.numpy(), fs, view, size).image.astype(float)
        apart = np.abs(picture - single)
        # A pixel may round the other way at the rim of a sub-column; never a visible one.
        assert np.mean(apart > 1.01) < 1e-3
        assert apart.max() < 40


def test_gradient_equals_finite_differences() -> None:
    # Noise, so that no two samples tie for the peak of a column: there is a kink, not a slope.
    noise = torch.from_numpy(np.random.default_rng(2).normal(0, 0.05, (12, 625)))
    signals = (beats(125)[:, :625] + noise)[None].requires_grad_()
    view, size = View("3x4+II", line_mm=0.5), (96, 120)
    weight = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, *size)))

    def total(x: torch.Tensor) -> torch.Tensor:
        return (raster_views(x, 125, [view], size) * weight).sum() / 255

    (gradient,) = torch.autograd.grad(total(signals), signals)
    rng = np.random.default_rng(1)
    with torch.no_grad():
        for _ in range(5):
            along = torch.from_numpy(rng.normal(size=signals.shape))
            step = 1e-7 * along
            slope = (total(signals + step) - total(signals - step)) / 2e-7
            assert float((gradient * along).sum()) == pytest.approx(float(slope), rel=0.01)


def test_gradient_reaches_only_what_is_drawn() -> None:
    signals = beats(125).float()[None].requires_grad_()
    view = replace(View("3x4"), hidden=("V1",))
    raster_views(signals, 125, [view], (96, 120)).sum().backward()
    assert signals.grad is not None
    reached = signals.grad[0].abs() > 0
    assert not reached[6].any()  # hidden
    assert reached[0, :310].any()
    assert not reached[0, 320:].any()  # lead I stands in the first 2.5 s


def test_number_of_views_must_fit() -> None:
    with pytest.raises(ConfigError, match="2 views for 1 signals"):
        raster_views(beats(125).float()[None], 125, [View(), View()], (96, 120))
