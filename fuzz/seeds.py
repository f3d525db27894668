"""What is mutated: files that are read whole, and say no sum of what is in them where that can be.

The golden files of the tests come first. Those made here reach what they do not: every sample
format of WFDB, NPZ and MATLAB without the packing that a change would break, each kind of picture
that is read, a page of PDF with traces and words on it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dyssync.ecg import LEADS
from dyssync.formats import FORMATS, read_ecg
from pdf_objects import pdf_of

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "formats"
MAX_SEED_BYTES = 400_000
PAGE_PX = (240, 160)
Integers = npt.NDArray[np.int64]


def seeds_of(format: str, real: Sequence[Path]) -> list[bytes]:
    """Return the files of one format: golden ones, and those of the folders of real ones."""
    found = _MADE.get(format, list)()
    for path in sorted(GOLDEN.iterdir()) + [
        p for folder in real for p in sorted(folder.rglob("*"))
    ]:
        if not path.is_file() or path.stat().st_size > MAX_SEED_BYTES:
            continue
        data = path.read_bytes()
        if FORMATS[format].sniff(data[:4096], path):
            found.append(data)
    return found


@cache
def companions() -> Mapping[str, bytes]:
    """Return the signal files of WFDB that the headers name."""
    made = {"golden.dat": (GOLDEN / "golden.dat").read_bytes()}
    return made | {_signal_file(code): store(_steps(gain)) for code, gain, store in _STORES}


def _signal_file(code: str) -> str:
    return f"golden{code}.dat"


@cache
def _golden() -> npt.NDArray[np.float32]:
    return np.asarray(read_ecg(GOLDEN / "golden.hea").signal, np.float32)


def _steps(gain: int) -> Integers:
    """Return the golden samples in steps, lead after lead at each moment."""
    return np.rint(_golden().T * gain).astype(np.int64).ravel()


def _wfdb() -> list[bytes]:
    n = _golden().shape[1]
    return [
        "".join(
            [
                f"golden 12 100 {n}\n",
                *(f"{_signal_file(code)} {code} {gain}/mV 16 0 0 0 0 {name}\n" for name in LEADS),
            ]
        ).encode()
        for code, gain, _ in _STORES
    ]


def _as_24(steps: Integers) -> bytes:
    return steps.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _as_212(steps: Integers) -> bytes:
    first, second = (steps & 0xFFF).reshape(-1, 2).T
    triples = [first & 0xFF, first >> 8 | second >> 8 << 4, second & 0xFF]
    return np.stack(triples, axis=1).astype(np.uint8).tobytes()


def _as_310(steps: Integers) -> bytes:
    first, second, third = (steps & 0x3FF).reshape(-1, 3).T
    words = [first << 1 | (third & 0x1F) << 11, second << 1 | third >> 5 << 11]
    return np.stack(words, axis=1).astype("<u2").tobytes()


def _as_311(steps: Integers) -> bytes:
    first, second, third = (steps & 0x3FF).reshape(-1, 3).T
    return (first | second << 10 | third << 20).astype("<u4").tobytes()


# code, steps a millivolt (as many as fit), how they are stored
_STORES: tuple[tuple[str, int, Callable[[Integers], bytes]], ...] = (
    ("16", 1000, lambda steps: steps.astype("<i2").tobytes()),
    ("24", 1000, _as_24),
    ("32", 1000, lambda steps: steps.astype("<i4").tobytes()),
    ("61", 1000, lambda steps: steps.astype(">i2").tobytes()),
    ("80", 70, lambda steps: (steps + 128).astype("u1").tobytes()),
    ("160", 1000, lambda steps: (steps + (1 << 15)).astype("<u2").tobytes()),
    ("212", 1000, _as_212),
    ("310", 250, _as_310),
    ("311", 250, _as_311),
)


def _numpy() -> list[bytes]:
    with np.load(GOLDEN / "golden.npz") as archive:
        arrays = dict(archive)
    plain, stored = io.BytesIO(), io.BytesIO()
    np.save(plain, arrays["signal"])
    np.savez(stored, **arrays)
    return [plain.getvalue(), stored.getvalue()]


def _matlab() -> list[bytes]:
    from scipy.io import loadmat, savemat

    stream = io.BytesIO()
    held = {"ECG": loadmat(GOLDEN / "struct.mat")["ECG"]}
    savemat(stream, held)  # type: ignore[arg-type]  # the stubs of scipy want a path
    return [stream.getvalue()]


def _picture() -> list[bytes]:
    from PIL import Image, ImageDraw

    page = Image.new("RGB", PAGE_PX, "white")
    pen = ImageDraw.Draw(page)
    for x in range(0, PAGE_PX[0], 8):
        pen.line([(x, 0), (x, PAGE_PX[1])], "pink")
    for row, lead in enumerate(_golden()[:4]):
        pen.line([(x, 40 * row + 20 - 10 * float(y)) for x, y in enumerate(lead)], "black")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    kinds: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("PNG", "RGB", {}),
        ("PNG", "P", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "1", {}),
        ("JPEG", "RGB", {"exif": rotated}),
        ("JPEG", "L", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "jpeg"}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "L", {"save_all": True, "append_images": [page], "big_tiff": True}),
        ("BMP", "RGB", {}),
        ("BMP", "P", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGBA", {"lossless": True}),
    )
    made = []
    for kind, mode, options in kinds:
        stream = io.BytesIO()
        page.convert(mode).save(stream, kind, **options)
        made.append(stream.getvalue())
    return made


def _pdf() -> list[bytes]:
    """Return a page with grid, traces and names: its content in a stream that is not packed."""
    rows = range(0, 12, 3)
    texts = [f"BT /F1 8 Tf 10 {190 - 15 * row} Td ({LEADS[row]}) Tj ET" for row in rows]
    grid = [f".1 w 1 .7 .7 RG {x} 0 m {x} 200 l S" for x in range(0, 220, 10)]
    traces = []
    for row in rows:
        at = [f"{10 + x} {180 - 15 * row + 8 * y:.1f}" for x, y in enumerate(_golden()[row])]
        traces.append(f".6 w 0 0 0 RG {at[0]} m " + " l ".join(at[1:]) + " l S")
    content = "\n".join([*grid, *traces, *texts]).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 220 200]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    return [pdf_of(objects)]


_MADE: Mapping[str, Callable[[], list[bytes]]] = {
    "wfdb": _wfdb,
    "numpy": _numpy,
    "matlab": _matlab,
    "picture": _picture,
    "pdf": _pdf,
}
