"""What formats share: ages as files write them, and the calibration pulse behind an ECG."""

from datetime import date, datetime

import numpy as np
import pytest

from dyssync.formats.reading.calibration_pulse import end_before_pulse
from dyssync.formats.reading.demographics import age_between, parse_age


@pytest.mark.parametrize(
    ("text", "years"),
    [("0", 0.0), ("122", 122.0), ("140", None), ("300", None)],
)
def test_an_age_that_nobody_reached_is_none(text: str, years: float | None) -> None:
    # Jeanne Calment died at 122; PTB-XL writes 300 for "over 89"
    assert parse_age(text) == years
    born = date(2020 - int(text), 1, 1)
    assert age_between(born, datetime(2020, 1, 1)) == years


@pytest.mark.parametrize(
    ("pulse_ms", "found"), [(60, False), (100, True), (200, True)], ids=["peak", "cut", "whole"]
)
def test_a_pulse_is_a_millivolt_for_a_tenth_of_a_second(pulse_ms: int, found: bool) -> None:
    fs = 500
    ecg = 0.3 * np.sin(np.arange(10 * fs) / 20)
    after = np.zeros(fs)
    after[100 : 100 + pulse_ms * fs // 1000] = 1.0
    channels = {lead: np.concatenate([ecg * size, after]) for lead, size in (("I", 1), ("V1", -2))}
    end = end_before_pulse(channels, fs)
    assert (end is not None) is found
    if end is not None:  # the flat line before the pulse goes with it
        assert end == pytest.approx(10 * fs, abs=10)
