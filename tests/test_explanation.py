"""Grad-CAM axioms on a network whose answer is known, and the way from maps to leads."""

import numpy as np
import pytest
import torch

from dyssync.ecg import LEADS
from dyssync.errors import ConfigError
from dyssync.explanation.gradcam import gradcam
from dyssync.explanation.overlay import HEAT
from dyssync.explanation.regions import call_region, lead_shares, lead_weights
from dyssync.rendering import LeadBox


class LinearHead(torch.nn.Module):
    """Two channels (the picture, its negative), averaged and weighed: the closed form is known."""

    def __init__(self, weights: tuple[float, float]) -> None:
        super().__init__()
        self.stage = torch.nn.Conv2d(1, 2, 1, bias=False)
        self.stage.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        self.weights = torch.tensor(weights)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.stage(x).mean(dim=(2, 3)) * self.weights).sum(1, keepdim=True)


def test_map_equals_the_closed_form_of_a_linear_head() -> None:
    x = torch.randn(3, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    found = gradcam(LinearHead((2.0, 0.5)), x, "stage")
    # each channel weighs w_k / (h w); the sum is (w0 - w1) x / (h w), kept where positive
    expected = torch.relu(1.5 * x[:, 0] / 20)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_non_response_is_the_other_sign_and_no_gradient_is_no_map() -> None:
    x = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    against = gradcam(LinearHead((2.0, 0.5)), x, "stage", response=False)
    np.testing.assert_allclose(against, torch.relu(-1.5 * x[:, 0] / 16).numpy(), atol=1e-6)
    assert not gradcam(LinearHead((0.0, 0.0)), x, "stage").any()
    with pytest.raises(ConfigError, match="unknown stage"):
        gradcam(LinearHead((1.0, 0.0)), x, "layer9")


def grid_boxes() -> list[LeadBox]:
    """Limb leads in the left half, chest leads in the right half of a 120 x 120 picture."""
    boxes = []
    for i, lead in enumerate(LEADS):
        x, y = 60.0 * (i // 6), 20.0 * (i % 6)
        boxes.append(LeadBox(lead, x, y, x + 60, y + 20, 0.0, 2.5, 24.0, 10.0, y + 10))
    return boxes


def test_even_map_gives_area_shares_and_is_called_both() -> None:
    held = lead_weights(grid_boxes(), (120, 120), (6, 6))
    shares = lead_shares(np.ones((1, 6, 6), dtype=np.float32), held)
    np.testing.assert_allclose(shares, 1 / 12, rtol=1e-5)
    assert held.limb_area_share == pytest.approx(0.5)
    assert call_region(shares[0], held) == "both"


@pytest.mark.parametrize(("column", "region"), [(0, "limb"), (5, "precordial")])
def test_planted_spot_is_found_in_its_lead(column: int, region: str) -> None:
    held = lead_weights(grid_boxes(), (120, 120), (6, 6))
    maps = np.zeros((1, 6, 6), dtype=np.float32)
    maps[0, 2, column] = 1.0
    shares = lead_shares(maps, held)
    assert LEADS[int(np.argmax(shares[0]))] == ("III" if column == 0 else "V3")
    assert shares[0].sum() == pytest.approx(1.0)
    assert call_region(shares[0], held) == region


def test_empty_map_is_counted_as_none() -> None:
    held = lead_weights(grid_boxes(), (120, 120), (6, 6))
    shares = lead_shares(np.zeros((1, 6, 6), dtype=np.float32), held)
    assert np.isnan(shares).all()
    assert call_region(shares[0], held) == "none"


def test_the_hottest_colour_is_told_from_paper_and_from_the_trace() -> None:
    linear = np.where(HEAT <= 0.04045, HEAT / 12.92, ((HEAT + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()
    # relative contrast of WCAG 2.1: 4.5 for text, 3 for the parts of a picture
    assert (1.0 + 0.05) / (luminance[-1] + 0.05) > 4.5
    assert (luminance[-1] + 0.05) / 0.05 > 3.0
