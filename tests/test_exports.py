"""What leaves for other systems: FHIR, a page true to scale, DICOM, a schema; nobody is named."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import matplotlib
import numpy as np
import pydicom
import pypdfium2
import pytest
from fhir.resources.R4B.bundle import Bundle
from matplotlib._afm import AFM
from pydantic import TypeAdapter

from dyssync.ecg import ECG, Source
from dyssync.exports import EXPORTS, SUFFIXES, Case
from dyssync.exports.dicom import report_dicom
from dyssync.exports.fhir import MEASURED, fhir_bundle
from dyssync.exports.pdf import report_pdf
from dyssync.exports.schema import FILE, prediction_schema
from dyssync.image import ECGImage
from dyssync.inspection.findings import examine
from dyssync.models.rules import QRSArea
from dyssync.prediction.predictor import Contribution, ModelPrediction, Prediction
from dyssync.prediction.short import short_answer
from dyssync.rendering.pdf import width_of, wrapped

R4 = Path(__file__).parent.parent / "build" / "fhir" / "package" / "dist" / "fhir" / "r4"
R4 /= "fhir.schema.json"  # HL7's, as another project packs it
DCM2PDF = shutil.which("dcm2pdf")
SAID = ModelPrediction(
    probability=0.7134,
    basis="ECG alone",
    venn_abers_low=0.58,
    venn_abers_high=0.82,
    members_sd=0.05,
    set_80="responder",
    set_90="defer",
    base_log_odds=0.1,
    contributions=(Contribution("qrs_area_uvs", 121.0, 0.7), Contribution("pr_ms", None, -0.1)),
)
SILENT = ModelPrediction(0.6, "base rate", None, None, None, "defer", "defer")
DISCLAIMER = "Research use only. Not a medical device"


def case_of(recording: ECG | ECGImage, said: ModelPrediction | None = SAID) -> Case:
    signal = isinstance(recording, ECG)
    prediction = Prediction(
        file=recording.source.name,
        base_rate=0.6,
        models={"qrs-area": SILENT} if said is None else {"ridge": said},
        cautions=("the bundle was trained on simulated patients", "a second (with brackets) \\ %"),
        encoders={},
        answer=None if said is None else "ridge",
        beside={"qrs-area": QRSArea().statement(recording)} if signal else {},
    )
    return Case(
        recording=recording,
        found=examine(recording) if signal else None,
        prediction=prediction,
        answer=short_answer(prediction),
        origin="A research estimate.",
        digest="ab" * 32,
        made_at=datetime(2026, 11, 28, 10, 15, tzinfo=UTC),
    )


def flat_line() -> ECG:
    slope = np.linspace(0, 1, 2500, dtype=np.float32) * np.ones((12, 1), dtype=np.float32)
    return ECG(slope, 250.0)


@pytest.fixture(scope="module")
def ecg(toy: tuple[list[ECG], np.ndarray]) -> ECG:
    return replace(toy[0][1], patient_id="HIDDEN", source=Source("SECRET.hea"), sex="F")


@pytest.fixture(scope="module")
def cases(ecg: ECG) -> dict[str, Case]:
    return {
        "answered": case_of(ecg),
        "silent": case_of(ecg, SILENT),
        "no answer": case_of(ecg, None),
        "no heartbeat": case_of(flat_line(), SILENT),
        "picture": case_of(ECGImage(np.full((480, 640, 3), 255, np.uint8))),
    }


@pytest.fixture(params=["answered", "silent", "no answer", "no heartbeat", "picture"])
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Iterator[Case]:
    return cases[request.param]


def resources(case: Case) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for entry in fhir_bundle(case)["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def test_every_export_has_a_suffix_and_says_what_it_is_not(case: Case) -> None:
    assert set(SUFFIXES) == set(EXPORTS)
    for name in EXPORTS:
        data = EXPORTS[name](case)
        assert b"SECRET" not in data, name
        assert b"HIDDEN" not in data, name
    page = pypdfium2.PdfDocument(report_pdf(case))[0].get_textpage().get_text_range()
    assert "HIDDEN" not in page, "compressed in the file, so read off the page"
    assert DISCLAIMER in page
    assert DISCLAIMER in pydicom.dcmread(pydicom.filebase.BytesIO(report_dicom(case))).DocumentTitle
    held = resources(case)
    for text in (
        held["Device"][0]["note"][0]["text"],
        held["RiskAssessment"][0]["note"][0]["text"],
        held["DiagnosticReport"][0]["conclusion"],
    ):
        assert DISCLAIMER in text


def test_fhir_is_valid_and_its_references_lead_somewhere(case: Case) -> None:
    bundle = fhir_bundle(case)
    Bundle.model_validate_json(json.dumps(bundle))
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    named = {line.split('"')[3] for line in json.dumps(bundle, indent=1).splitlines()
             if '"reference": ' in line}  # fmt: skip
    assert named <= known
    assert len(known) == len(bundle["entry"])
    assert all(
        part["status"] == "preliminary"
        for kind, parts in resources(case).items()
        if kind not in ("Patient", "Device")
        for part in parts
    )
    assert fhir_bundle(case) == bundle, "the same case gives the same bundle"


@pytest.mark.skipif(not R4.is_file(), reason="no schema of FHIR R4: make fhir")
def test_fhir_fits_the_schema_of_r4_that_hl7_publishes(case: Case) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="make fhir")
    schema = json.loads(R4.read_text(encoding="utf-8"))
    bundle = fhir_bundle(case)
    for part in (bundle, *(entry["resource"] for entry in bundle["entry"])):
        own = {"$ref": f"#/definitions/{part['resourceType']}"}  # the whole is one of 150 kinds
        judge = jsonschema.Draft6Validator({**own, "definitions": schema["definitions"]})
        assert [error.message for error in judge.iter_errors(part)] == []
        assert not judge.is_valid({**part, "status": 1, "notThere": 1})


def test_fhir_says_what_was_measured_and_what_is_not_known(cases: dict[str, Case]) -> None:
    held = resources(cases["answered"])
    found = cases["answered"].found
    assert found is not None
    by_code = {one["code"]["coding"][0]["code"]: one for one in held["Observation"]}
    for name, (_, code, _, unit) in MEASURED.items():
        value = found.measurements[name]
        if np.isnan(value):
            assert "valueQuantity" not in by_code[code]
            assert by_code[code]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
        else:
            quantity = by_code[code]["valueQuantity"]
            assert quantity["code"] == unit
            assert quantity["value"] == pytest.approx(value, rel=1e-3)
    assert held["Patient"] == [{**held["Patient"][0], "gender": "female"}]
    nothing = resources(cases["no heartbeat"])["Observation"]
    assert not any("valueQuantity" in one for one in nothing)


def test_fhir_gives_a_probability_only_where_there_is_one(cases: dict[str, Case]) -> None:
    (said,) = resources(cases["answered"])["RiskAssessment"][0]["prediction"]
    assert said["probabilityDecimal"] == 0.7134
    assert "Of 100 such patients about 71 responded (58 to 82)" in said["rationale"]
    for name in ("silent", "no answer", "no heartbeat"):
        (said,) = resources(cases[name])["RiskAssessment"][0]["prediction"]
        assert "probabilityDecimal" not in said


def test_the_page_is_a4_and_true_to_scale(cases: dict[str, Case]) -> None:
    page = pypdfium2.PdfDocument(report_pdf(cases["answered"]))[0]
    assert page.get_size() == pytest.approx((297 / 25.4 * 72, 210 / 25.4 * 72), abs=0.01)
    px = 20  # a mm
    image = page.render(scale=px * 25.4 / 72).to_numpy().max(axis=2)
    dark = image[: 185 * px] < 80
    # beside the traces stands a pulse of 1 mV and 0.2 s in each of 4 rows
    tops = middles(dark[:, 11 * px : 20 * px].sum(axis=1) > 4.6 * px)[-4:]
    feet = middles(dark[:, round(11.5 * px)])[-4:]
    np.testing.assert_allclose((feet - tops) / px, 10.0, atol=0.1)
    half_way = dark[round((tops[0] + feet[0]) / 2), 11 * px : 20 * px]
    (left, right) = middles(half_way)
    assert (right - left) / px == pytest.approx(5.0, abs=0.1)


def middles(dark: np.ndarray) -> np.ndarray:
    """Return the middle of each run of dark pixels."""
    at = np.flatnonzero(dark)
    return np.array([run.mean() for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)])


def test_however_much_is_to_be_said_the_tracing_keeps_its_room(cases: dict[str, Case]) -> None:
    case = cases["answered"]
    many = tuple(f"caution {k}: {'so many words ' * 12}" for k in range(30))
    crowded = replace(case, prediction=replace(case.prediction, cautions=many))
    page = pypdfium2.PdfDocument(report_pdf(crowded))[0].get_textpage().get_text_range()
    assert "more, for which there is no room here" in page
    assert "25 mm/s 10 mm/mV" in page


def test_dicom_holds_the_page(cases: dict[str, Case]) -> None:
    case = cases["answered"]
    held = pydicom.dcmread(pydicom.filebase.BytesIO(report_dicom(case)))
    assert held.SOPClassUID.name == "Encapsulated PDF Storage"
    size = held.EncapsulatedDocumentLength
    assert held.EncapsulatedDocument[:size] == report_pdf(case)
    assert str(held.PatientName) == held.PatientID == ""
    assert held.DeviceSerialNumber == case.digest


@pytest.mark.skipif(DCM2PDF is None, reason="no dcm2pdf: apt-get install dcmtk")
def test_another_tool_finds_the_page_in_the_dicom(cases: dict[str, Case], tmp_path: Path) -> None:
    held, page = tmp_path / "page.dcm", tmp_path / "page.pdf"
    for case in (cases["answered"], cases["picture"]):
        held.write_bytes(report_dicom(case))
        subprocess.run([str(DCM2PDF), str(held), str(page)], check=True, capture_output=True)
        assert page.read_bytes().rstrip(b"\0") == report_pdf(case)


def test_the_published_schema_is_that_of_a_prediction(cases: dict[str, Case]) -> None:
    assert json.loads(FILE.read_text()) == prediction_schema(), "stale: exports.schema.write_schema"
    for case in cases.values():
        TypeAdapter(Prediction).validate_json(json.dumps(case.prediction.to_dict()))
    assert "answer" in prediction_schema()["required"]


def test_lines_are_as_wide_as_helvetica_makes_them() -> None:
    metrics = Path(matplotlib.get_data_path()) / "fonts" / "pdfcorefonts" / "Helvetica.afm"
    with metrics.open("rb") as file:
        afm = AFM(file)
    straight = {"'": "quotesingle", "`": "grave"}  # which the file's own encoding curls
    for code in range(32, 127):
        letter = chr(code)
        width = (
            afm.get_width_from_char_name(straight[letter])
            if letter in straight
            else afm.get_width_char(code)
        )
        assert width_of(letter, 1000.0) == width, letter
    text = "several words that do not all stand in one line " * 3
    lines = wrapped(text, 3.0, 60.0)
    assert " ".join(lines) == text.strip()
    assert max(width_of(line, 3.0) for line in lines) <= 60.0
