"""Requests of every kind for `dyssync serve`, as bytes: whole, broken, hostile, slow, cut off."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import socket
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dyssync.ecg import ECG
from dyssync.formats import write_ecg
from dyssync.inspection.page import PageKind
from dyssync.rendering import PageOptions

PAUSE_S = 0.1  # between the parts of a slow request
BOUNDARY = b"part-of-the-benchmark"
WAIT_S = 90.0  # for an answer
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
# In place of a status: the line was closed without an answer; none came in time.
CLOSED, NO_ANSWER = 0, -1
File = tuple[str, bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of request.

    Attributes:
        parts: what is sent, with :data:`PAUSE_S` between.
        expected: statuses that are right.
        share: how often it is sent, beside the others.
        cut: the client hangs up after the last part.
    """

    parts: Sequence[bytes]
    expected: frozenset[int]
    share: int = 1
    cut: bool = False


def post(route: str, *files: File, accept: str = "*/*", **fields: str) -> bytes:
    """Return a whole upload."""
    said = [
        b'--%s\r\ncontent-disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n'
        % (BOUNDARY, name.encode(), data)
        for name, data in files
    ]
    said += [
        b'--%s\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (BOUNDARY, name.encode(), text.encode())
        for name, text in fields.items()
    ]
    body = b"".join([*said, b"--%s--\r\n" % BOUNDARY])
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    return head(route, kind, len(body), accept) + body


def head(route: str, kind: str, length: int, accept: str = "*/*") -> bytes:
    """Return line and headers of a request with a body."""
    lines = (
        f"POST {route} HTTP/1.1", "Host: bench", "Connection: close", f"Accept: {accept}",
        f"Content-Type: {kind}", f"Content-Length: {length}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def get(route: str) -> bytes:
    """Return a request without a body."""
    return f"GET {route} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as an archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def hook(*files: File) -> bytes:
    """Return a call of CDS Hooks."""
    content = [
        {"attachment": {"title": name, "data": base64.b64encode(data).decode()}}
        for name, data in files
    ]
    call = {
        "hook": "patient-view",
        "prefetch": {"ecg": {"resourceType": "DocumentReference", "content": content}},
    }
    body = json.dumps(call).encode()
    return head("/cds-services/crt-response", "application/json", len(body)) + body


def asked(port: int, kind: Kind) -> int:
    """Send one request; return the status of its answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as line:
            for k, part in enumerate(kind.parts):
                if k:
                    time.sleep(PAUSE_S)
                line.sendall(part)
            if kind.cut:
                return CLOSED
            answer = b"".join(iter(lambda: line.recv(65536), b""))
    except (BrokenPipeError, ConnectionResetError):
        return CLOSED
    except TimeoutError:
        return NO_ANSWER
    found = STATUS.match(answer)
    return int(found[1]) if found else CLOSED


def kinds_of(ecg: ECG, folder: Path) -> Mapping[str, Kind]:
    """Return all kinds of requests about a recording.

    Args:
        ecg: a recording that a bundle answers.
        folder: for its files.
    """
    for kind in ("wfdb", "csv", "dicom"):
        write_ecg(ecg, folder, "ecg", kind)
    record = [(one.name, one.read_bytes()) for one in sorted(folder.glob("ecg.[hd][ea][at]"))]
    (dicom,) = [(one.name, one.read_bytes()) for one in folder.glob("*.dcm")]
    (table,) = [(one.name, one.read_bytes()) for one in folder.glob("*.csv")]
    page = ("page.png", PageKind(dpi=60).draw(ecg, PageOptions()))
    return {**_whole(record, dicom, table, page), **_wrong(dicom), **_halting(record)}


def _whole(record: Sequence[File], dicom: File, table: File, page: File) -> dict[str, Kind]:
    right = frozenset({200})
    archive = ("record.zip", zipped(dict(record)))
    return {
        "/predict, WFDB": Kind([post("/predict", *record)], right, 6),
        "/predict, ZIP": Kind([post("/predict", archive, lvef="27", sex="F")], right, 2),
        "/predict, DICOM": Kind([post("/predict", dicom)], right, 2),
        "/predict as FHIR": Kind([post("/predict", dicom, accept="application/fhir+json")], right),
        "/predict as PDF": Kind([post("/predict", dicom, accept="application/pdf")], right),
        "/measure, CSV": Kind([post("/measure", table)], right, 3),
        "/inspect, DICOM": Kind([post("/inspect", dicom)], right, 3),
        "page of a signal": Kind([post("/", dicom)], right, 2),
        "page of a picture": Kind([post("/", page)], right),
        "call of a hook": Kind([hook(dicom)], right, 2),
        "/healthz": Kind([get("/healthz")], right, 3),
        "empty page": Kind([get("/")], right),
    }


def _wrong(dicom: File) -> dict[str, Kind]:
    damaged, unknown, large = (frozenset({status}) for status in (422, 415, 413))
    name, data = dicom
    entities = b'<!DOCTYPE r [<!ENTITY a "b">]><RestingECG>&a;</RestingECG>'
    pickle = b"\x80\x04\x8c\x05posix\x8c\x06system\x93"
    bomb = gzip.compress(b"\0" * 80_000_000)
    archive = zipped({"a.hea": b"\0" * 70_000_000})
    long = get("/")[:-2] + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n"
    return {
        "half a file": Kind([post("/predict", (name, data[: len(data) // 2]))], damaged, 2),
        "not XML": Kind([post("/", ("a.xml", b"<RestingECG><x>"))], damaged, 2),
        "no known format": Kind([post("/predict", ("a.txt", b"hello"))], unknown, 2),
        "wrong fact": Kind([post("/predict", dicom, lvef="999")], damaged),
        "another kind asked for": Kind([post("/predict", dicom, accept="a/b")], frozenset({406})),
        "no body": Kind([head("/predict", "text/plain", 0)], unknown),
        "hook without ECG": Kind([hook()], frozenset({412})),
        "nowhere": Kind([get("/../../etc/passwd")], frozenset({404})),
        "XML with entities": Kind([post("/predict", ("a.xml", entities))], damaged),
        "pickle": Kind([post("/predict", ("a.npy", pickle))], unknown),
        "gzip bomb": Kind([post("/measure", ("a.csv.gz", bomb))], large),
        "ZIP bomb": Kind([post("/inspect", ("a.zip", archive))], large),
        "name that leads out": Kind([post("/predict", ("../../etc/passwd", b"root:x"))], unknown),
        "huge header": Kind([long], frozenset({400})),
        "claims 2 GB": Kind([head("/predict", "multipart/form-data; boundary=b", 2**31)], large),
        "no HTTP": Kind([b"\x16\x03\x01\r\n\r\n"], frozenset({400})),
    }


def _halting(record: Sequence[File]) -> dict[str, Kind]:
    whole = post("/measure", *record)
    step = len(whole) // 6 + 1
    parts = [whole[k : k + step] for k in range(0, len(whole), step)]
    gone = frozenset({CLOSED, 400})
    return {
        "slow": Kind(parts, frozenset({200}), 2),
        "cut off in the body": Kind(parts[:3], gone, 2, cut=True),
        "cut off in the head": Kind([whole[:40]], gone, cut=True),
        "gone before the answer": Kind([whole], frozenset({CLOSED, 200}), cut=True),
    }
