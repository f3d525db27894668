"""The recorder's beat beside ours: aligned, at one level, and called out where it is another's."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyssync.cli import main
from dyssync.ecg import ECG, LEAD_INDEX, RepresentativeBeat
from dyssync.inspection.recorder_beat import laid_on
from dyssync.measurements.heartbeat import heartbeat
from dyssync.signals.plausibility import CHECKS, Recorded


def with_beat(ecg: ECG, fs: float, before_s: float = 0.3, seconds: float = 0.7) -> ECG:
    """Give an ECG its own typical beat as another recorder would: other rate, start and level."""
    ours = heartbeat(ecg)
    time = np.arange(ours.signal.shape[1]) / ours.fs
    start = ours.marks.qrs_on / ours.fs - before_s
    grid = start + np.arange(int(seconds * fs)) / fs
    shape = np.stack([np.interp(grid, time, lead) for lead in ours.signal])
    return replace(ecg, beat=RepresentativeBeat((shape + 0.4).astype(np.float32), fs))


@pytest.mark.parametrize("fs", [250.0, 500.0, 1000.0])
def test_the_recorders_beat_is_found_and_levelled(
    toy: tuple[list[ECG], np.ndarray], fs: float
) -> None:
    ecg = toy[0][1]
    laid = laid_on(with_beat(ecg, fs), heartbeat(ecg))
    assert laid is not None
    assert laid.correlation > 0.998
    assert laid.difference_mv < 0.1
    assert laid_on(ecg, heartbeat(ecg)) is None


def test_a_beat_of_another_ecg_is_told_from_ours(toy: tuple[list[ECG], np.ndarray]) -> None:
    ecg = toy[0][1]
    beat = with_beat(ecg, 500.0).beat
    assert beat is not None
    other = replace(ecg, beat=RepresentativeBeat(beat.signal[::-1].copy(), 500.0))
    laid = laid_on(other, heartbeat(ecg))
    assert laid is not None
    assert laid.correlation < 0.9


@pytest.mark.parametrize("flat", [(), ("V4",), ("I", "V1", "V6")])
def test_a_gain_unlike_that_of_the_recorders_beat_is_named_beside_flat_leads(
    toy: tuple[list[ECG], np.ndarray], flat: tuple[str, ...]
) -> None:
    ecg = with_beat(toy[0][1], 500.0)
    assert ecg.beat is not None
    for gain, named in ((1.0, False), (2.0, True)):
        beat, signal = ecg.beat.signal.copy(), gain * ecg.signal
        for k, lead in enumerate(flat):
            (beat if k % 2 else signal)[LEAD_INDEX[lead]] = 0.0
        recorded = Recorded(signal, ecg.fs, beat=RepresentativeBeat(beat, 500.0))
        assert bool(CHECKS["recorder's beat"](recorded)) == named


@pytest.mark.real_data
def test_inspect_says_whose_beat_it_is(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "formats" / "philips-sierra"
    picture = tmp_path / "beat.svg"
    call = ["inspect", str(folder / "ad4d3d80-d165_v1.04.xml"), "--json", "--beat", str(picture)]
    assert main(call) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recorder_beat"]["qrs_correlation"] > 0.99
    assert picture.stat().st_size > 10_000
    assert main(["inspect", str(folder / "repbeats_example_v1.03.xml")]) == 0
    assert "the recorder's beat is not like those of this ECG" in capsys.readouterr().out
