"""A page of one lead is no page of twelve, and a page of twelve is not taken for one."""

import numpy as np
import pytest

from dyssync.ecg import ECG
from dyssync.image import ECGImage
from dyssync.inspection.findings import page_cautions, picture_facts
from dyssync.layouts import LAYOUTS
from dyssync.pages.one_lead import ONE_LEAD, shows_one_lead
from dyssync.rendering import render_page
from dyssync.rendering.rendered import Picture
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient


def heart(seed: int) -> ECG:
    rng = np.random.default_rng(seed)
    return ECG(simulate_patient(draw_patient(rng), rng, with_response=False).signal, 500.0)


def page(signal: np.typing.NDArray[np.float32], layout: str, style: str = "red") -> Picture:
    return render_page(signal, 500.0, LAYOUTS[layout], dpi=110, style=style).image


@pytest.mark.parametrize("seed", [1, 4])
def test_one_lead_on_all_rows_is_seen(seed: int) -> None:
    strip = heart(seed).signal[1]
    rows = np.stack([np.roll(strip, 300 * k) for k in range(12)])
    assert shows_one_lead(page(rows, "3x4"))


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if not name.startswith("tiles")])
def test_twelve_leads_are_not_taken_for_one(layout: str) -> None:
    assert not shows_one_lead(page(heart(2).signal, layout))


def test_inspect_says_so() -> None:
    strip = np.stack([heart(1).signal[1]] * 12)
    image = ECGImage(page(strip, "3x4"))
    assert page_cautions(image) == [ONE_LEAD]
    assert picture_facts(image)["cautions"] == [ONE_LEAD]
    assert page_cautions(ECGImage(page(heart(2).signal, "3x4+II"))) == []
