"""The dictionary of measurements: names, units, NaN discipline."""

import numpy as np

from dyssync.ecg import ECG
from dyssync.measurements import measure


def test_noise_gives_nan_and_says_why() -> None:
    noise = np.random.default_rng(0).standard_normal((12, 5000))
    found = measure(ECG(noise, 500.0))
    assert np.isnan(found.values).all()
    assert "no heartbeat" in found.cautions[0]
    assert len(found.names) == len(found.units) == len(found.values)
