"""Findings and pages: the same numbers as the library's, computed once, without identifiers."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from dyssync.cli import main
from dyssync.cli.tables import MAIN
from dyssync.ecg import ECG, Source
from dyssync.errors import InputError
from dyssync.formats.reading.recorder_notes import LABELS
from dyssync.image import ECGImage
from dyssync.inspection.beat_figure import draw_beat
from dyssync.inspection.findings import (
    COMPARED,
    QRS_APART_MS,
    SHOWN_AS,
    examine,
    picture_facts,
)
from dyssync.inspection.page import PageKind, measured_header, page_header
from dyssync.inspection.wording import FASCICULAR, PATTERNS, TITLES
from dyssync.layouts import LAYOUTS
from dyssync.measurements import lead_quality, measure
from dyssync.measurements.heartbeat import heartbeat
from dyssync.measurements.measurement import GROUPS, NAMES
from dyssync.rendering import PageOptions, render_page
from dyssync.signals.delineation import typical_beat

Toy = tuple[list[ECG], np.ndarray]
SILENT = ECG(np.random.default_rng(3).normal(0.0, 0.02, (12, 5000)).astype(np.float32), 500.0)


def times_called(function: Callable[..., object], work: Callable[[], object]) -> int:
    calls = 0

    def watch(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code is function.__code__

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_every_measurement_that_is_shown_exists_and_every_group_has_a_title() -> None:
    shown = (
        {name for _, name in MAIN} | set(SHOWN_AS) | {name for name, _ in (*PATTERNS, *FASCICULAR)}
    )
    assert shown <= set(NAMES)
    assert {key for *_, key in COMPARED} <= set(LABELS)
    assert {group.__name__.rpartition(".")[2] for group in GROUPS} == set(TITLES)


def test_findings_are_what_the_library_finds_from_one_typical_beat(toy: Toy) -> None:
    ecg = toy[0][1]
    found = examine(ecg)
    np.testing.assert_array_equal(found.measurements.values, measure(ecg).values)
    assert found.measurements.cautions == measure(ecg).cautions
    assert found.quality == lead_quality(ecg)
    assert found.heartbeat is not None
    np.testing.assert_array_equal(found.heartbeat.signal, heartbeat(ecg).signal)
    assert times_called(typical_beat, lambda: examine(ecg)) == 1
    page = PageKind("tiles", kind="svg")
    work = (
        lambda: draw_beat(found, "svg"),
        lambda: page.draw(ecg, PageOptions(header=measured_header(found)), found.heartbeat),
    )
    assert [times_called(typical_beat, draw) for draw in work] == [0, 0]
    assert page.draw(ecg, PageOptions(), found.heartbeat) == page.draw(ecg, PageOptions())


def test_an_ecg_without_a_beat_has_findings_that_say_so() -> None:
    found = examine(SILENT)
    assert found.heartbeat is None
    assert np.isnan(found.measurements.values).all()
    assert found.cautions[0].startswith("signal: no heartbeat was found")
    assert found.to_dict()["recorder_beat"] is None
    with pytest.raises(InputError, match="no heartbeat was found"):
        draw_beat(found, "svg")
    with pytest.raises(InputError, match="no heartbeat was found"):
        PageKind("tiles", kind="svg").draw(SILENT, PageOptions(), found.heartbeat)


@pytest.mark.parametrize(("apart", "warned"), [(QRS_APART_MS, False), (QRS_APART_MS + 1, True)])
def test_a_qrs_far_from_the_recorders_is_called_out(toy: Toy, apart: float, warned: bool) -> None:
    ecg = toy[0][1]
    theirs = measure(ecg)["qrs_duration_ms"] + apart
    found = examine(replace(ecg, notes={LABELS["qrs"]: f"{theirs}", "site": "A"}))
    assert any("the recorder says" in text for text in found.cautions) == warned
    assert found.recorder == {"qrs": f"{theirs}"}
    assert found.other_notes == {"site": "A"}


def test_inspect_prints_what_findings_and_pictures_hold(
    toy_cohort: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from PIL import Image

    from dyssync.formats import read_ecg, read_input

    file = toy_cohort / "rec00.hea"
    assert main(["inspect", str(file), "--json"]) == 0
    expected = json.loads(json.dumps(examine(read_ecg(file)).to_dict()))
    assert json.loads(capsys.readouterr().out) == expected
    Image.new("RGB", (400, 300), "white").save(tmp_path / "scan.png")
    scan = read_input(tmp_path / "scan.png")
    assert isinstance(scan, ECGImage)
    assert main(["inspect", str(tmp_path / "scan.png"), "--json"]) == 0
    facts = picture_facts(scan)
    told = json.loads(capsys.readouterr().out)
    assert told == {**facts, "page": None, "unread": told["unread"]}
    assert "no ECG page" in told["unread"]
    assert (facts["width_px"], facts["height_px"]) == (400, 300)


def test_inspect_measures_what_a_picture_shows(
    toy: Toy, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from PIL import Image

    ecg = toy[0][1]
    Image.fromarray(render_page(ecg.signal, ecg.fs, LAYOUTS["3x4+II"]).image).save(
        tmp_path / "page.png"
    )
    assert main(["inspect", str(tmp_path / "page.png"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "3x4+II, 25 mm/s" in told["page"]["told"]
    true = examine(ecg).measurements["qrs_area_uvs"]
    assert told["measurements"]["qrs_area_uvs"] == pytest.approx(true, rel=0.1)
    Image.new("RGB", (400, 300), "white").save(tmp_path / "none.png")
    pages = [str(tmp_path / name) for name in ("page.png", "none.png")]
    assert main(["measure", *pages, "--json"]) == 3
    (measured, refused) = json.loads(capsys.readouterr().out)
    assert measured["measurements"] == told["measurements"]
    assert "no ECG page" in refused["error"]
    beat = tmp_path / "beat.png"
    assert main(["inspect", str(tmp_path / "page.png"), "--beat", str(beat)]) == 0
    assert beat.is_file()


def test_the_header_of_a_page_names_what_is_known_and_nobody(toy: Toy) -> None:
    ecg = replace(
        toy[0][1], patient_id="12345", age=71.0, sex="F", recorded_at=datetime(2020, 5, 12, 8, 30),
        source=Source("a.hea"),
    )  # fmt: skip
    expected = ("a.hea", "10.0 s at 250 Hz   71 years   female   2020-05-12 08:30")
    assert page_header(ecg) == expected
    header = measured_header(examine(ecg))
    assert header[:2] == expected
    assert header[2].startswith("heart rate 75 /min   PR ")
    assert "12345" not in " ".join(header)
