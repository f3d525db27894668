"""The ECG type keeps its promises, and leads find their names and places."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dyssync.ecg import ECG, LEADS, RepresentativeBeat, assemble_leads, lead_name
from dyssync.errors import ConfigError, FormatError, check_choice, check_range
from dyssync.image import ECGImage
from dyssync.registry import Registry


def signal(seconds: float = 2.0, fs: float = 250.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.3, (12, round(seconds * fs))).astype(np.float32)


def test_ecg_is_frozen_to_the_last_sample() -> None:
    mine = signal()
    ecg = ECG(mine, 250)
    mine[0, 0] = 99.0
    assert ecg["I"][0] != 99.0
    with pytest.raises(ValueError, match="read-only"):
        ecg.signal[0, 0] = 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s[:11], "12, n"),
        (lambda s: s * 1000, "looks like microvolt"),
        (lambda s: s / 1000, "looks like volt"),
        (lambda s: s * 0, "all 12 leads are flat"),
        (lambda s: s[:, :100], "at least 1 s"),
        (lambda s: np.where(np.arange(s.shape[1]) == 5, np.nan, s), "12 missing values"),
    ],
)
def test_what_is_no_ecg_cannot_be_made(change: object, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        ECG(change(signal()), 250)  # type: ignore[operator]


@pytest.mark.parametrize("fs", [10.0, 10_000.0, float("nan")])
def test_impossible_sampling_rates_are_refused(fs: float) -> None:
    with pytest.raises(FormatError, match="50 to 4000 Hz"):
        ECG(signal(), fs)


def test_one_flat_lead_is_named() -> None:
    values = signal()
    values[8] = 0.2
    assert ECG(values, 250).flat_leads == ("V3",)


@given(st.permutations(range(8)), st.sampled_from([str.lower, str.upper, "MDC_ECG_LEAD_{}".format]))
def test_leads_of_any_order_and_spelling_find_their_place(order: list[int], spell: object) -> None:
    eight = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
    values = {lead: np.random.default_rng(i).normal(size=5) for i, lead in enumerate(eight)}
    channels = {spell(eight[i]): values[eight[i]] for i in order}  # type: ignore[operator]
    found, derived = assemble_leads(channels)
    assert derived == ("III", "aVR", "aVL", "aVF")
    by_lead = dict(zip(LEADS, found.astype(np.float64), strict=True))
    for lead in eight:
        np.testing.assert_allclose(by_lead[lead], values[lead], atol=1e-6)
    np.testing.assert_allclose(by_lead["I"] + by_lead["III"], by_lead["II"], atol=1e-6)
    total = by_lead["aVR"] + by_lead["aVL"] + by_lead["aVF"]
    np.testing.assert_allclose(total, 0, atol=1e-6)


def test_missing_chest_lead_is_an_error_that_names_it() -> None:
    channels = {lead: np.zeros(5) for lead in LEADS if lead != "V4"}
    with pytest.raises(FormatError, match=r"11 leads .*missing V4"):
        assemble_leads(channels)


@pytest.mark.parametrize("text", ["", "Vx", "V7", "IIII", "MLII"])
def test_other_channels_are_no_standard_lead(text: str) -> None:
    assert lead_name(text) is None


def test_registry_lists_choices_and_imports_late() -> None:
    registry: Registry[object] = Registry("thing", {"near": "no.such.module:THING", "here": 1})
    assert registry["here"] == 1
    assert list(registry) == ["near", "here"]
    with pytest.raises(
        ConfigError, match=r"unknown thing 'neat'\. Choices: here, near\. Nearest: near"
    ):
        registry["neat"]


def test_checks_return_their_argument_or_say_the_range() -> None:
    assert check_choice("layout", "3x4", ["3x4"]) == "3x4"
    assert check_range("rate", 500, 50, 4000, "Hz") == 500
    with pytest.raises(ConfigError, match="rate is 5 Hz; 50 to 4000 Hz is needed"):
        check_range("rate", 5, 50, 4000, "Hz")


def test_values_stay_read_only_when_another_process_sends_them() -> None:
    ecg = ECG(signal(), 250.0, beat=RepresentativeBeat(signal(), 250.0))
    sent = deepcopy(ecg)  # as pickling does: by __setstate__
    assert sent.beat is not None
    page = deepcopy(ECGImage(np.zeros((50, 60, 3), np.uint8)))
    for array in (sent.signal, sent.beat.signal, page.pixels):
        assert not array.flags.writeable
