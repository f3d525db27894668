"""The API and the page over HTTP: what is answered, what is refused, and that nothing is kept."""

import gc
import http.client
import io
import json
import logging
import re
import socket
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dyssync.ecg import ECG, LEADS
from dyssync.formats import read_ecg, write_ecg
from dyssync.inspection.page import PageKind
from dyssync.rendering import PageOptions, Rendered, encode_png
from dyssync.web import connections, uploads
from dyssync.web.answers import Answers
from dyssync.web.app import create_app
from dyssync.web.audit import LOG, WithoutMessages
from dyssync.web.server import open_to_all

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

GOLDEN = Path(__file__).parent / "golden" / "formats"
NAME = "Quixotinsky"
ROUTES = ("/predict", "/inspect", "/measure", "/")
Files = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture(scope="module")
def record(toy_cohort: Path) -> Files:
    return sent(*(toy_cohort / name for name in ("rec01.hea", "rec01.dat")))


def sent(*paths: Path) -> Files:
    return [("file", (path.name, path.read_bytes())) for path in paths]


def drawn(toy_cohort: Path) -> Files:
    """Return a page of paper that shows a record."""
    page = PageKind(dpi=100).draw(read_ecg(toy_cohort / "rec01.hea"), PageOptions())
    return [("file", ("page.png", page))]


def test_predict_answers_what_the_predictor_says(
    client: TestClient, answers: Answers, record: Files, toy_cohort: Path
) -> None:
    found = client.post("/predict", files=record)
    assert found.status_code == 200
    here = answers.predictor.predict(read_ecg(toy_cohort / "rec01.hea")).to_dict()
    there = found.json()
    assert there.pop("file") == "upload"  # a client's name may hold a patient's
    here.pop("file")
    assert there == json.loads(json.dumps(here))


def test_others_than_the_one_answer_are_asked_where_they_are_wanted(
    client: TestClient, answers: Answers, record: Files
) -> None:
    every = client.post("/predict", files=record).json()
    one = client.post("/predict?models=answer", files=record).json()
    assert set(every["models"]) == set(answers.bundle.members)
    assert one["models"] == {every["answer"]: every["models"][every["answer"]]}
    assert one["answer"] == every["answer"]
    shown, whole = (client.post(at, files=record).text for at in ("/", "/?models=all"))
    others = [f'<tr><th scope="row">{name}' for name in every["models"] if name != every["answer"]]
    assert [row in shown for row in others] == [False] * len(others)
    assert [row in whole for row in others] == [True] * len(others)
    (said,) = {re.search(r'class="sentence">(.*?)<', text)[1] for text in (shown, whole)}  # type: ignore[index]
    assert said.startswith("Of 100 such patients")
    for route in ("/", "/predict"):
        refused = client.post(f"{route}?models={NAME}", files=record)
        assert refused.status_code == 422
        assert NAME not in refused.text


def test_facts_reach_the_models_and_are_missing_by_name(client: TestClient, record: Files) -> None:
    told = client.post("/", files=record, data={"lvef": "25", "sex": "F"}).text
    assert "LVEF</span> 25 %" in told
    assert told.count('class="missing"') == 4  # age, aetiology, NYHA class, fibrillation
    assert "<h2>Cautions</h2>" in told


def test_the_leads_that_networks_looked_at_share_the_whole_map(
    answers: Answers, toy_cohort: Path
) -> None:
    assert answers.asking.onlookers is not None
    seen = answers.asking.onlookers.look(read_ecg(toy_cohort / "rec01.hea"), response=True)
    assert seen.shares is not None
    assert sum(seen.shares) == pytest.approx(1.0)
    assert max(max(cell.levels) for cell in seen.cells) == 1.0
    assert {LEADS[cell.lead] for cell in seen.cells} == set(LEADS)


def test_inspect_and_measure_tell_numbers_and_null(client: TestClient, record: Files) -> None:
    inspected = client.post("/inspect", files=record).json()
    measured = client.post("/measure", files=record).json()
    assert len(inspected["leads"]) == 12
    assert inspected["patient_id"] is None
    assert measured["measurements"] == inspected["measurements"]
    assert None in measured["measurements"].values()


def cut(toy_cohort: Path) -> Files:
    """A page of which half is missing: networks may look at it, no ECG can be read off."""
    ((field, (name, png)),) = drawn(toy_cohort)
    with Image.open(io.BytesIO(png)) as page:
        half = np.asarray(page.crop((0, 0, page.width // 2, page.height)))
    return [(field, (name, encode_png(Rendered(half))))]


def test_what_a_picture_shows_is_measured_and_inspected(
    client: TestClient, toy_cohort: Path
) -> None:
    page = drawn(toy_cohort)
    measured = client.post("/measure", files=page).json()
    inspected = client.post("/inspect", files=page).json()
    assert measured["measurements"] == inspected["measurements"]
    true = client.post("/measure", files=sent(toy_cohort / "rec01.hea", toy_cohort / "rec01.dat"))
    for name in ("qrs_duration_ms", "heart_rate_bpm"):
        truth = true.json()["measurements"][name]
        assert measured["measurements"][name] == pytest.approx(truth, rel=0.08), name
    refused = client.post("/measure", files=cut(toy_cohort))
    assert refused.status_code == 422
    assert "cannot be digitised" in refused.json()["detail"]
    told = client.post("/inspect", files=cut(toy_cohort)).json()
    assert told["page"] is None
    assert "cannot be digitised" in told["unread"]


def test_facts_beside_a_picture_are_used_or_said_to_be_of_no_use(
    client: TestClient, toy_cohort: Path
) -> None:
    page, half = drawn(toy_cohort), cut(toy_cohort)
    text = client.post("/", files=page, data={"lvef": "25"}).text
    assert "LVEF</span> 25 %" in text
    assert "not used" not in text
    said = client.post("/predict", files=half, data={"lvef": "25", "sex": "F"}).json()
    assert [one for one in said["cautions"] if one.startswith("not used: sex, lvef")]
    alone = client.post("/predict", files=half).json()
    assert not [one for one in alone["cautions"] if "not used" in one]
    assert client.post("/predict", files=page, data={"lvef": "999"}).status_code == 422


@pytest.mark.parametrize("route", ROUTES)
def test_a_picture_that_waits_too_long_for_others_is_refused_and_a_signal_is_not(
    client: TestClient, answers: Answers, record: Files, toy_cohort: Path,
    monkeypatch: pytest.MonkeyPatch, route: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("dyssync.web.answers.LONGEST_WAIT_S", 0.05)
    with answers._digitising:
        refused = client.post(route, files=drawn(toy_cohort))
        assert refused.status_code == 503
        assert "pictures are being read off" in refused.text
        assert client.post(route, files=record).status_code == 200
    assert client.post(route, files=drawn(toy_cohort)).status_code == 200


def test_the_page_shows_what_was_read_of_a_picture_or_why_it_was_not(
    client: TestClient, toy_cohort: Path
) -> None:
    text = client.post("/", files=drawn(toy_cohort)).text
    assert "25 mm/s, as printed" in text
    leads = re.findall(r"<text [^>]*>(\w+)</text></g>", text)
    assert set(leads) == set(LEADS)
    assert "were not read" not in text
    grey = np.full((600, 900, 3), 90, np.uint8)
    page = [("file", ("page.png", encode_png(Rendered(grey))))]
    assert "Its traces were not read: " in client.post("/", files=page).text


def test_the_page_says_things_in_the_order_of_the_clinic(client: TestClient, record: Files) -> None:
    text = client.post("/", files=record).text
    heads = ["Accepted", "Tracing", "Measurements", "Response", "What it rests on", "Beside it",
             "Among the patients", "Cautions", "Limits", "All other models"]  # fmt: skip
    places = [text.index(f">{head}") for head in heads]
    assert places == sorted(places)
    assert "Of 100 such patients" in text
    assert text.count("Not a medical device") >= 3


@pytest.mark.parametrize("path", ["/", "/healthz", "/openapi.json", "/static/page.js", "/nowhere"])
def test_every_answer_has_the_headers_and_no_cookie(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers


def test_pages_hold_no_inline_code_and_load_nothing_from_elsewhere(
    client: TestClient, record: Files
) -> None:
    text = client.post("/", files=record).text
    tags = re.findall(r"<[a-zA-Z][^>]*>", text)
    assert not [tag for tag in tags if re.search(r"\s(style|on\w+)\s*=", tag)]
    for part in text.split("<script")[1:]:
        assert part.startswith((' type="module" src="static/', ' type="application/json"'))
    static = Path(uploads.__file__).parent / "static"
    elsewhere = re.compile(r"""(src|href|action)=["']?\w*:?//|url\(|@import|from "\w*:?//""")
    for held in [text, *(one.read_text() for one in static.iterdir())]:
        assert not elsewhere.search(held)


HOSTILE = {
    "entities": (("a.xml", b'<!DOCTYPE r [<!ENTITY a "b">]><RestingECG>&a;</RestingECG>'), 422),
    "pickle": (("a.npy", b"\x80\x04\x8c\x05posix\x8c\x06system\x93"), 415),
    "path": (("../../../etc/passwd", b"root:x:0:0"), 415),
    "page of a bomb": (("a.png", b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\xff" * 13), 422),
    "gzip bomb": (("a.csv.gz", b""), 413),
    "empty": (("a.xml", b""), 422),
    "name with lines": ((f"a\r\n{NAME}: 1.xml", b"<x/>"), 415),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("route", ROUTES)
def test_hostile_files_are_refused_in_one_line(client: TestClient, kind: str, route: str) -> None:
    import gzip

    (name, data), status = HOSTILE[kind]
    if kind == "gzip bomb":
        data = gzip.compress(b"\0" * 80_000_000)
    found = client.post(route, files=[("file", (name, data))])
    assert found.status_code == status
    assert NAME not in found.text
    if route != "/":
        assert list(found.json()) == ["detail"]
        assert "\n" not in found.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": {"lvef": "25"}}, 415),  # no multipart
        ({"json": {"file": "x"}}, 415),
        ({"files": [("other", ("a.xml", b"x"))]}, 422),
        ({"files": [("file", (f"{i}", b"x")) for i in range(5)]}, 400),
        ({"files": [("file", ("a", b"x"))], "data": {"lvef": "9" * 300}}, 400),
        ({"files": [("file", ("a", b"x"))], "data": {NAME: "1"}}, 422),
        ({"files": [("file", ("a", b"x"))], "data": {"fs": NAME}}, 422),
        ({"files": [("file", ("a", b"x")), ("file", ("b/a", b"y"))]}, 422),
        ({"files": [("file", ("a", b"x"))], "data": {"page": "1.5"}}, 422),
        ({"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
)
def test_bodies_that_cannot_be_are_refused(
    client: TestClient, body: dict[str, object], status: int
) -> None:
    found = client.post("/predict", **body)  # type: ignore[arg-type]
    assert found.status_code == status
    assert NAME not in found.text


def test_a_large_body_is_refused_whether_or_not_it_says_its_size(client: TestClient) -> None:
    large = b"x" * (uploads.MAX_BODY_BYTES + 1)
    assert client.post("/predict", files=[("file", ("a", large))]).status_code == 413
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    chunks = iter([head, *([b"x" * 1_000_000] * 30)])
    kind = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/predict", content=chunks, headers=kind).status_code == 413


def test_the_token_is_asked_for_before_the_body_is_read(answers: Answers, record: Files) -> None:
    client = TestClient(create_app(answers, token="s3cret"))
    for bearer in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}):
        refused = client.post("/predict", files=record, headers=bearer)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    right = {"Authorization": "Bearer s3cret"}
    assert client.post("/predict", files=record, headers=right).status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.post("/", files=record).status_code == 401
    assert client.post("/", files=record, data={"token": "s3cret"}).status_code == 200


def test_nothing_of_a_patient_is_left_after_the_answer(
    client: TestClient, answers: Answers, record: Files, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    seen: list[weakref.ref[ECG]] = []
    read = answers.read

    def remembering(what: uploads.Sent) -> object:
        found = read(what)
        seen.append(weakref.ref(found))  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(answers, "read", remembering)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    LOG.propagate = True
    with caplog.at_level(logging.INFO):
        named = [(part, (f"{NAME}{Path(name).suffix}", data)) for part, (name, data) in record]
        named[1] = record[1]  # the header knows its samples by their name
        for route in ROUTES:
            assert client.post(route, files=named, data={"age": "61.25"}).status_code == 200
    gc.collect()
    assert len(seen) == len(ROUTES)
    assert [one() for one in seen] == [None] * len(ROUTES)
    assert list(tmp_path.iterdir()) == []
    assert NAME not in caplog.text
    assert "61.25" not in caplog.text
    lines = [json.loads(one.message) for one in caplog.records if one.name == LOG.name]
    assert [one["route"] for one in lines] == list(ROUTES)
    assert {tuple(one) for one in lines} == {
        ("time", "route", "sha256", "bundle", "verdict", "status")
    }


def test_a_fault_of_ours_is_told_and_logged_without_its_message(
    answers: Answers, record: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError(NAME)

    monkeypatch.setattr(answers, "read", fails)
    client = TestClient(create_app(answers), raise_server_exceptions=False)
    found = client.post("/predict", files=record)
    assert found.status_code == 500
    assert "default-src" in found.headers["content-security-policy"]
    assert NAME not in found.text
    try:
        fails(None)
    except RuntimeError as error:
        text = WithoutMessages().formatException((type(error), error, error.__traceback__))
    assert "RuntimeError" in text
    assert NAME not in text


def test_the_description_of_the_api_has_the_answer_and_the_refusals(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    post = described["paths"]["/predict"]["post"]
    schema = post["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Prediction"}
    assert {"400", "401", "413", "415", "422", "503"} <= set(post["responses"])
    body = post["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert {"file", "age", "sex", "lvef", "nyha", "af", "ischaemic", "fs", "unit"} <= set(
        body["properties"]
    )


def spoken(port: int, text: bytes, wait_s: float = 5.0) -> bytes:
    """Return what the server answers to raw bytes; empty where it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as line:
        line.sendall(text)
        return line.recv(10_000)


HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"


def test_huge_heads_and_huge_claims_are_refused_at_once(port: int) -> None:
    huge = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 100_000
    assert spoken(port, huge).startswith(b"HTTP/1.1 400")
    whole = spoken(port, huge + b"\r\n\r\n")
    assert whole.startswith(b"HTTP/1.1 400")
    assert b"default-src 'self'" in whole
    assert spoken(port, b"\x16\x03\x01 no http\r\n\r\n").startswith(b"HTTP/1.1 400")
    claims = HEAD + b"Content-Length: 2147483648\r\n\r\n"
    assert spoken(port, claims).startswith(b"HTTP/1.1 413")


def test_slow_clients_are_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "BODY_SECONDS", 0.5)
    assert spoken(port, HEAD + b"Content-Length: 100\r\n\r\n--b").startswith(b"HTTP/1.1 408")
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    assert spoken(port, b"POST /predict HT") == b""


def test_a_client_that_hangs_up_disturbs_nobody(port: int, record: Files) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(HEAD + b"Content-Length: 100\r\n\r\n--b")
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request("GET", "/healthz")
    assert json.loads(line.getresponse().read())["status"] == "ok"
    line.close()


def test_only_loopback_is_closed_to_others() -> None:
    assert [open_to_all(host) for host in ("127.0.0.1", "::1", "localhost")] == [False] * 3
    assert [open_to_all(host) for host in ("0.0.0.0", "::", "10.0.0.7", "clinic")] == [True] * 4


def test_every_format_that_is_written_is_answered(
    client: TestClient, toy_cohort: Path, tmp_path: Path
) -> None:
    ecg = read_ecg(toy_cohort / "rec02.hea")
    first = client.post("/measure", files=sent(*toy_cohort.glob("rec02.*"))).json()
    for kind in ("edf", "dicom", "csv"):
        path = write_ecg(ecg, tmp_path, "a", kind)
        found = client.post("/measure", files=sent(path)).json()
        ours, theirs = (one["measurements"]["qrs_duration_ms"] for one in (first, found))
        assert abs(ours - theirs) <= 2, kind
