"""Answers of the API for other systems: by the header Accept, and as a card of CDS Hooks."""

import base64
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from fhir.resources.R4B.bundle import Bundle
from starlette.testclient import TestClient

from dyssync.cohort.clinical import with_clinical
from dyssync.formats import write_ecg
from dyssync.formats.wfdb import write_wfdb
from dyssync.web import hooks
from dyssync.web.answers import Answers
from dyssync.web.app import create_app
from dyssync.web.hook_call import call_of
from dyssync.web.hook_facts import check_same_sex, facts_of_call
from dyssync.web.hook_files import files_of_call
from dyssync.web.hooks import card_of
from dyssync.web.negotiation import FHIR, JSON, PDF, best_offer
from dyssync.web.readers import Upload
from dyssync.web.refusals import Refused
from dyssync.web.uploads import Sent
from dyssync.web.warming import some_heart

OFFERS = (JSON, FHIR, PDF)
Files = list[tuple[str, tuple[str, bytes]]]


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", JSON),
        ("application/*", JSON),
        ("application/fhir+json", FHIR),
        ("Application/FHIR+JSON; fhirVersion=4.0; charset=utf-8", FHIR),
        ("application/fhir+json; fhirVersion=5.0", None),
        ("application/fhir+json; fhirVersion=5.0, application/json;q=0.2", JSON),
        ("application/json;q=0.3, application/pdf;q=0.9", PDF),
        ("*/*;q=0.1, application/pdf;q=0", JSON),
        ("application/json;q=0, */*", FHIR),  # the exact range says no
        ("application/pdf;q=2", None),
        ("text/html", None),
        (";;,,=", None),
        (", ".join(["a/b"] * 500 + ["application/pdf"]), None),
    ],
)
def test_the_kind_of_answer_is_the_one_wanted_most(accept: str | None, given: str | None) -> None:
    assert best_offer(accept, OFFERS) == given


def call_with(resource: object, **fields: object) -> dict[str, Any]:
    call = {"hook": "patient-view", "hookInstance": "x", "context": {"patientId": "1"}}
    return {**call, "prefetch": {"ecg": resource}, **fields}


def attached(*files: tuple[str, bytes]) -> dict[str, Any]:
    content = [
        {"attachment": {"title": name, "data": base64.b64encode(data).decode()}}
        for name, data in files
    ]
    return {"resourceType": "DocumentReference", "status": "current", "content": content}


def test_files_are_those_of_the_first_resource_that_holds_any() -> None:
    link = {"resourceType": "DocumentReference", "content": [{"attachment": {"url": "https://x"}}]}
    report = {
        "resourceType": "DiagnosticReport",
        "presentedForm": [{"data": base64.encodebytes(b"x" * 99).decode()}],  # with line breaks
    }
    found = {"resourceType": "Bundle", "entry": [{"resource": link}, {"resource": report}, {}]}
    assert files_of_call(call_with(found)) == {"file-0": b"x" * 99}
    twice = attached(("a/ecg", b"1"), ("ecg", b"2"))
    assert list(files_of_call(call_with(twice)).values()) == [b"1", b"2"]
    binary = {"resourceType": "Binary", "data": "eA=="}
    assert files_of_call(call_with(binary)) == {"file-0": b"x"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (json.dumps(call_with(attached(("a", b"1")), hook="order-sign")).encode(), 400),
        (json.dumps(call_with(None)).encode(), 412),
        (json.dumps(call_with(attached())).encode(), 412),
        (json.dumps({"hook": "patient-view"}).encode(), 412),
        (json.dumps({"hook": "patient-view", "prefetch": []}).encode(), 400),
        (json.dumps({"hook": "patient-view", "context": None}).encode(), 400),
        (json.dumps(call_with("DocumentReference")).encode(), 400),
        (json.dumps(call_with({"resourceType": ["x"], "content": 3})).encode(), 412),
        (json.dumps(call_with({"resourceType": "Bundle", "entry": [1, {}]})).encode(), 412),
        (json.dumps(call_with({"resourceType": "Binary", "data": "no base64!"})).encode(), 422),
    ],
)
def test_calls_that_hold_no_ecg_are_refused(body: bytes, status: int) -> None:
    with pytest.raises(Refused) as caught:
        files_of_call(call_of(body))
    assert caught.value.status == status
    assert "\n" not in caught.value.text


PATIENT = {"resourceType": "Patient", "gender": "female", "birthDate": "1960-06-01"}


def ejection_fraction(value: object, **fields: object) -> dict[str, Any]:
    coding = [{"system": "http://loinc.org", "code": "10230-1"}]
    quantity = {"value": value, "unit": "%"}
    held = {"resourceType": "Observation", "status": "final", "code": {"coding": coding}}
    return {**held, "valueQuantity": quantity, **fields}


def test_facts_are_those_that_the_record_states_and_no_others() -> None:
    def told(patient: object, lvef: object) -> dict[str, object]:
        return facts_of_call({"prefetch": {"patient": patient, "lvef": lvef}}, date(2026, 6, 1))

    assert told(PATIENT, ejection_fraction(27)) == {"sex": "F", "age": 66.0, "lvef": 27.0}
    several = {
        "resourceType": "Bundle",
        "entry": [{"resource": ejection_fraction(v, **f)} for v, f in (
            (1, {"status": "entered-in-error"}), (2, {"code": {"text": "LVEF"}}),
            (3, {"valueQuantity": {"value": 0.3, "unit": "1"}}), ("4", {}), (True, {}), (30.5, {}),
        )],
    }  # fmt: skip
    unsure = {"resourceType": "Patient", "gender": "other", "birthDate": "1960"}
    assert told(unsure, several) == {"lvef": 30.5}
    assert told(None, None) == {}
    wrong = {
        "hook": "patient-view",
        "prefetch": {"patient": "Patient/1", "lvef": [None], "ecg": {}},
    }
    with pytest.raises(Refused, match="prefetch patient, lvef: no resource") as refused:
        call_of(json.dumps(wrong).encode())
    assert refused.value.status == 400
    for odd in (0, 300, -4, 1e300, 10**400, float("inf")):
        assert told(PATIENT, ejection_fraction(odd)) == {"sex": "F", "age": 66.0}
    for born in ("1860-06-01", "2031-01-01"):
        facts = told({**PATIENT, "birthDate": born}, ejection_fraction(27))
        assert facts == {"sex": "F", "lvef": 27.0}
        with_clinical(some_heart(), facts)  # which quotes what it refuses
    check_same_sex(some_heart(), {"sex": "F"})
    with pytest.raises(Refused, match="different sexes"):
        check_same_sex(some_heart(), {"sex": "M"})


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[str, bytes], ...]:
    folder = tmp_path_factory.mktemp("record")
    write_wfdb(some_heart(), folder, "rec")
    return tuple((one.name, one.read_bytes()) for one in sorted(folder.glob("rec.*")))


@pytest.mark.slow
@pytest.mark.xdist_group("web")
class TestAnswers:
    def test_predict_answers_in_three_kinds_and_refuses_others(
        self, client: TestClient, record: tuple[tuple[str, bytes], ...]
    ) -> None:
        files: Files = [("file", one) for one in record]

        def asked(accept: str) -> Any:
            return client.post("/predict", files=files, headers={"accept": accept})

        said = asked("*/*")
        assert said.headers["content-type"] == JSON
        bundle = asked(FHIR)
        assert bundle.headers["content-type"] == FHIR
        held = Bundle.model_validate_json(bundle.text)
        (risk,) = (
            r for one in held.entry if (r := one.resource).get_resource_type() == "RiskAssessment"
        )
        here = said.json()
        p = here["models"][here["answer"]]["probability"]
        assert float(risk.prediction[0].probabilityDecimal) == pytest.approx(p, abs=1e-4)
        page = asked("application/pdf")
        text = pypdfium2.PdfDocument(page.content)[0].get_textpage().get_text_range()
        assert "Research use only" in text
        refused = asked("text/html")
        assert (refused.status_code, list(refused.json())) == (406, ["detail"])
        for one in (bundle, page):
            assert one.headers["cache-control"] == "no-store"

    def test_the_service_is_found_and_gives_one_card_of_information(
        self, client: TestClient, answers: Answers, record: tuple[tuple[str, bytes], ...]
    ) -> None:
        (service,) = client.get("/cds-services").json()["services"]
        assert service["hook"] == "patient-view"
        answer = client.post(f"/cds-services/{service['id']}", json=call_with(attached(*record)))
        (card,) = answer.json()["cards"]
        assert card["indicator"] == "info"
        assert "suggestions" not in card
        assert len(card["summary"]) < 140
        files: Files = [("file", one) for one in record]
        here = client.post("/predict", files=files).json()
        p = here["models"][here["answer"]]["probability"]
        assert f"about {round(100 * p)} responded" in card["detail"]
        assert "Not a medical device" in card["detail"]
        assert client.post("/cds-services/other", json={}).status_code == 404
        known = call_with(attached(*record))
        known["prefetch"] |= {"patient": PATIENT, "lvef": ejection_fraction(27)}
        body = json.dumps(known).encode()
        read = answers.read(Sent(Upload({"call.json": body}, hook=True), {}, None))
        assert (read.sex, read.clinical) == ("F", {"lvef": 27.0})
        assert read.age is not None
        known["prefetch"]["patient"] = {**PATIENT, "gender": "male"}
        assert client.post(hooks.ROUTE, json=known).status_code == 422

    def test_of_several_formats_of_one_ecg_the_signal_is_read(
        self, client: TestClient, answers: Answers, tmp_path: Path
    ) -> None:
        path = write_ecg(some_heart(), tmp_path, "a", "dicom")
        both = attached(("page.pdf", b"%PDF-1.4 broken"), ("ecg.dcm", path.read_bytes()))
        assert client.post(hooks.ROUTE, json=call_with(both)).status_code == 200
        neither = attached(("page.pdf", b"%PDF-1.4 broken"), ("ecg", b"hello"))
        refused = client.post(hooks.ROUTE, json=call_with(neither))
        assert (refused.status_code, list(refused.json())) == (422, ["detail"])
        assert client.post(hooks.ROUTE, json={"hook": "patient-view"}).status_code == 412
        assert client.post(hooks.ROUTE, content=b"x").status_code == 415
        with_token = TestClient(create_app(answers, token="s3cret"))
        assert with_token.post(hooks.ROUTE, json={}).status_code == 401

    def test_a_card_fits_and_quotes_nothing_as_markdown(self, answers: Answers) -> None:
        case = answers.case(some_heart())
        long = replace(case.prediction, cautions=("*a* <b>x</b> [c](d) " * 30,))
        (card,) = card_of(replace(case, prediction=long))["cards"]
        assert "<b>" not in card["detail"].replace("\\<", "")
        silent = card_of(replace(case, answer=None))["cards"][0]
        assert silent["summary"].startswith("Research only. No answer")
