"""What a screen gets of a recording is the recording: same millivolts, same marks, same times."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from dyssync.ecg import ECG, LEADS
from dyssync.inspection.findings import examine
from dyssync.inspection.tracing import MOST_FS, MOST_SECONDS, SHOWN, tracing
from dyssync.layouts import LAYOUTS


@pytest.fixture(scope="module")
def ecg(toy: tuple[list[ECG], np.ndarray]) -> ECG:
    return toy[0][1]  # ten seconds at 250 Hz, wide QRS


def samples(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<i2").reshape(len(LEADS), -1) / 1000


def test_samples_come_back_within_half_a_microvolt_about_their_median(ecg: ECG) -> None:
    drawn = tracing(examine(ecg))
    expected = ecg.signal - np.median(ecg.signal, axis=1, keepdims=True)
    np.testing.assert_allclose(samples(drawn["signal"]), expected, atol=0.5001e-3)
    assert drawn["fs"] == ecg.fs
    json.dumps(drawn, allow_nan=False)


def test_a_fast_and_a_long_recording_are_thinned_and_cut_and_say_so(ecg: ECG) -> None:
    long = replace(ecg, signal=np.tile(ecg.signal, 8))
    drawn = tracing(examine(long))
    assert (drawn["seconds"], drawn["of_seconds"]) == (MOST_SECONDS, 80.0)
    fast = tracing(examine(replace(ecg, signal=np.repeat(ecg.signal, 10, axis=1), fs=2500.0)))
    assert fast["fs"] <= MOST_FS
    assert samples(fast["signal"]).shape[1] / fast["fs"] == fast["seconds"]


def test_marks_of_the_beat_span_the_measured_qrs(ecg: ECG) -> None:
    found = examine(ecg)
    drawn = tracing(found)
    marks = drawn["beat"]["marks"]
    measured = found.measurements["qrs_duration_ms"]
    assert abs(1000 * (marks["qrs_off"] - marks["qrs_on"]) - measured) < 0.5
    times = [mark["t"] for mark in drawn["marks"]]
    assert times == sorted(times)
    assert sum(mark["kind"] == "qrs_on" for mark in drawn["marks"]) >= 10
    np.testing.assert_allclose(
        samples(drawn["beat"]["signal"]),
        found.heartbeat.signal,
        atol=0.5001e-3,  # type: ignore[union-attr]
    )


def test_without_a_heartbeat_there_is_a_recording_and_no_beat() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (12, 5000)).astype(np.float32)
    drawn = tracing(examine(ECG(noise, 500.0)))
    assert drawn["beat"] is None
    assert drawn["marks"] == []


def test_layouts_on_the_screen_are_those_of_the_table(ecg: ECG) -> None:
    drawn = tracing(examine(ecg))["layouts"]
    assert list(drawn) == list(SHOWN)
    for name in SHOWN:
        labels = [panel.label for panel in LAYOUTS[name].panels]
        assert [panel["label"] for panel in drawn[name]["panels"]] == labels
        assert {LEADS[panel["lead"]] for panel in drawn[name]["panels"]} == set(LEADS)
