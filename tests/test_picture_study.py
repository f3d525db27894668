"""A study of scans: from pictures of pages to a bundle that is asked about a picture."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dyssync.cli import main
from dyssync.cohort.clinical import AGE_NOTE, facts_of, with_clinical
from dyssync.cohort.cohort import check_cohort, read_cohort
from dyssync.ecg import ECG, Doubt
from dyssync.formats import read_input
from dyssync.formats.wfdb import write_wfdb
from dyssync.image import ECGImage, ecg_of
from dyssync.layouts import LAYOUTS
from dyssync.models import MODELS
from dyssync.pages.reading_off import read_off
from dyssync.prediction.bundle import About
from dyssync.prediction.cautions import cautions
from dyssync.prediction.pictures import asked_about, page_notes
from dyssync.prediction.training_data import describe_cohort
from dyssync.rendering import render_page
from dyssync.study.config import STUDY_MODELS
from dyssync.study.results import StudyResults

pytestmark = pytest.mark.xdist_group("run")

Captured = pytest.CaptureFixture[str]
TINY = [
    *("--preset", "quick", "--protocol", "independent", "--seeds", "1", "--workers", "1"),
    *("--set", "refits=3", "--set", "resnet18.epochs=2"),
    *("--set", "resnet18.height=64", "--set", "resnet18.width=64"),
]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory, toy: tuple[list[ECG], np.ndarray]) -> Path:
    """Table of formula ECGs on paper."""
    folder = tmp_path_factory.mktemp("scans")
    rows = []
    for ecg, y in zip(*(part[:24] for part in toy), strict=True):
        page = render_page(ecg.signal, ecg.fs, LAYOUTS["3x4+II"]).image
        Image.fromarray(page).resize((1100, 850)).save(folder / f"{ecg.patient_id}.jpg")
        rows.append((ecg.patient_id, f"{ecg.patient_id}.jpg", y))
    table = pd.DataFrame(rows, columns=["patient_id", "ecg", "responder"])
    table.to_csv(folder / "cohort.csv", index=False)
    return folder / "cohort.csv"


def test_cohort_of_pictures_is_read_and_shrunk_to_its_use(scans: Path) -> None:
    cohort = read_cohort(scans)
    assert cohort.holds_pictures
    assert cohort.table["fs"].isna().all()
    for image, patient in zip(cohort.inputs, cohort.table["patient_id"], strict=True):
        assert isinstance(image, ECGImage)
        assert image.patient_id == patient
        assert max(image.pixels.shape) == 1000


def test_facts_go_with_what_was_read_off_and_refused_pages_are_named(
    scans: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(scans).head(6).assign(sex="F", lvef=25)
    table["ecg"] = [str(scans.parent / name) for name in table["ecg"]]
    with Image.open(table.loc[0, "ecg"]) as page:
        page.crop((0, 0, 700, 850)).save(tmp_path / "cut.png")  # half of the columns
    table.loc[0, "ecg"] = "cut.png"
    table.to_csv(tmp_path / "cohort.csv", index=False)
    cohort = read_cohort(tmp_path / "cohort.csv")
    (told,) = cohort.cautions
    assert str(told).startswith("row 2 (P00): cut.png: page cannot be digitised")
    refused, *others = cohort.inputs
    assert refused.ecg is None  # type: ignore[union-attr]
    assert all(facts_of(page) == {"sex": 1.0, "lvef": 25.0} for page in cohort.inputs)
    assert all(facts_of(ecg_of(page)) == facts_of(page) for page in others)
    assert len(cohort.signals) == 5
    look = describe_cohort(cohort)
    assert look.pages is not None
    assert look.signals is not None
    assert look.signals.clinical == ("sex", "lvef")
    # who measures knows nothing of the page that was refused, and says so
    area = MODELS["qrs-area"]().fit(cohort.inputs, cohort.responses.to_numpy())
    assert np.isnan(area.logits(cohort.inputs)).tolist() == [True, *[False] * 5]


def test_an_age_that_is_a_class_is_told_of_what_was_read_off_too(scans: Path) -> None:
    page = read_input(scans.parent / "P00.jpg")
    assert isinstance(page, ECGImage)
    ecg = read_off(with_clinical(page, {"age": ">89"})).ecg
    assert ecg is not None
    assert "90 is taken" in ecg.notes[AGE_NOTE]
    assert ecg.notes["page"].startswith("read off a page")


def test_signals_among_pictures_and_pictures_of_other_things_are_refused(
    scans: Path, toy: tuple[list[ECG], np.ndarray], tmp_path: Path
) -> None:
    write_wfdb(toy[0][30], tmp_path, "signal")
    Image.fromarray(np.full((300, 400, 3), 250, np.uint8)).save(tmp_path / "blank.png")
    table = pd.read_csv(scans)
    table["ecg"] = [str(scans.parent / name) for name in table["ecg"]]
    table.loc[0, "ecg"], table.loc[1, "ecg"] = "signal.hea", "blank.png"
    table.to_csv(tmp_path / "cohort.csv", index=False)
    problems = [str(p) for p in check_cohort(tmp_path / "cohort.csv")[1]]
    assert any("1 signals and 22 pictures" in p for p in problems)
    assert any(p.startswith("row 3 (P01): blank.png: picture is no ECG page") for p in problems)


@pytest.mark.slow
def test_study_of_scans_runs_all_models_and_its_bundle_takes_scans(
    scans: Path,
    toy: tuple[list[ECG], np.ndarray],
    toy_cohort: Path,
    tmp_path: Path,
    capsys: Captured,
) -> None:
    out = str(tmp_path / "run")
    wanted = ["--cohort", str(scans), "--out", out, *TINY]
    assert main(["study", *wanted]) == 0
    capsys.readouterr()
    results = StudyResults.read(tmp_path / "run")
    assert set(results.tables["predictions"]["model"]) == set(STUDY_MODELS)
    # QRS width is what tells responders here: who measures it on the pages is right
    metrics = results.tables["predictions"].query("model == 'qrs-area'")
    assert metrics["logit"].notna().all()
    report = (tmp_path / "run" / "report.html").read_text()
    assert "that look at them cannot be read by lead" in report
    assert main(["predict", out, str(scans.parent / "P00.jpg"), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert 0 < said["models"]["resnet18"]["probability"] < 1
    assert {"resnet18", "lightgbm", "guideline-esc-2021"} <= set(said["models"])
    assert said["models"]["lightgbm"]["basis"] != "base rate"
    (told,) = said["cautions"]
    assert told.startswith("read off a page (3x4+II, 25 mm/s, 10 mm/mV)")
    other = render_page(toy[0][0].signal, toy[0][0].fs, LAYOUTS["6x2"]).image
    Image.fromarray(other).save(tmp_path / "other.png")
    assert main(["predict", out, str(tmp_path / "other.png"), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert any("a page unlike the training ones" in told for told in said["cautions"])
    assert main(["predict", out, str(toy_cohort / "rec00.hea"), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert "trained on users' own pictures" in said["cautions"][0]


def test_what_a_page_shows_keeps_its_cautions_in_a_bundle_of_pictures(
    scans: Path,
) -> None:
    cohort = read_cohort(scans)
    training = describe_cohort(cohort)
    about = About(24, 0.5, 0.5, 2.0, training, False, False, {}, ("lightgbm",), "0" * 64)
    page = cohort.inputs[0]
    assert isinstance(page, ECGImage)
    assert page.ecg is not None
    missing = Doubt("page", (), "page shows no whole beat of V6", "withhold")
    doubted = replace(page, ecg=replace(page.ecg, doubts=(missing,)))
    assert missing.sentence in cautions(doubted, about)
    noise = np.random.default_rng(0).normal(0, 0.1, page.ecg.signal.shape)
    still = replace(page, ecg=replace(page.ecg, signal=noise.astype(np.float32)))
    assert any("no heartbeat was found" in told for told in cautions(still, about))
    (told,) = page_notes(page, asked_about(page, about))
    assert told.startswith("read off a page")


def test_bundle_of_signals_is_asked_about_a_picture_with_a_caution(
    finished_run: Path, scans: Path, tmp_path: Path, capsys: Captured
) -> None:
    Image.fromarray(np.full((300, 400, 3), 250, np.uint8)).save(tmp_path / "blank.png")
    with Image.open(scans.parent / "P00.jpg") as page:
        page.crop((0, 0, 700, 850)).save(tmp_path / "cut.png")  # half of the columns
    page, cut, blank = str(scans.parent / "P00.jpg"), "cut.png", "blank.png"
    wanted = ["predict", str(finished_run), page, *(str(tmp_path / name) for name in (cut, blank))]
    assert main([*wanted, "--models", "resnet18,lightgbm", "--json"]) == 3
    said, unread, refused = json.loads(capsys.readouterr().out)
    assert list(said["models"]) == ["resnet18", "lightgbm"]
    assert "pictures drawn from that in their own style" in said["cautions"][0]
    assert "QRS area" in said["beside"]["qrs-area"]
    assert list(unread["models"]) == ["resnet18"]
    assert "page cannot be digitised" in unread["cautions"][0]
    assert "gain of this page may differ" in unread["cautions"][1]
    assert unread["cautions"][2].startswith("resnet18: has only seen black traces on white")
    assert unread["cautions"][3] == "lightgbm: no answer, a signal is needed"
    assert "blank.png: picture is no ECG page" in refused["error"]
    alone = ["predict", str(finished_run), str(tmp_path / cut), "--models", "lightgbm"]
    assert main(alone) == 2
    assert "cut.png: is a picture; lightgbm of this bundle need" in capsys.readouterr().err


def test_a_page_gets_nearly_the_answer_of_its_signal(
    finished_run: Path, toy_cohort: Path, scans: Path, capsys: Captured
) -> None:
    files = [scans.parent / "P00.jpg", toy_cohort / "rec00.hea"]
    files += [scans.parent / "P01.jpg", toy_cohort / "rec01.hea"]
    wanted = ["predict", str(finished_run), *map(str, files)]
    assert main([*wanted, "--models", "resnet18,lightgbm", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    for page, signal in zip(said[::2], said[1::2], strict=True):
        for name in ("resnet18", "lightgbm"):
            read, true = (x["models"][name]["probability"] for x in (page, signal))
            assert read == pytest.approx(true, abs=0.1)
