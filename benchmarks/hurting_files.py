"""Files that are small or allowed in size and would take much memory, one kind each."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from pdf_objects import pdf_of

PX = (6000, 5990)  # as many pixels as are read


def _xml_of_attributes() -> bytes:
    return b"<RestingECG " + b" ".join(b'a%d=""' % k for k in range(2_000_000)) + b"/>"


def _xml_at_its_limits() -> bytes:
    elements = (b'<%s%d %s%d="%d"/>' % (b"a" * 26, k, b"b" * 32, k, k) for k in range(295_000))
    return b"<RestingECG>" + b"".join(elements) + b"</RestingECG>"


def _csv_at_its_limits() -> bytes:
    return b"# fs: 500\n# unit: mV\n" + b"1.1,1.22,3.33,4,5\n" * 2_690_000


def _picture(kind: str, mode: str, **options: object) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new(mode, PX).save(stream, kind, **options)
    return stream.getvalue()


def _pdf() -> bytes:
    """Return a page of the largest size with see-through groups in each other, a picture each."""
    depth, frame = 12, b"/BBox[0 0 9000 9000]/Group<</S/Transparency/I true>>"
    see_through = b"/ExtGState<</G<</ca .5/CA .5>>>>"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9000 9000]/Contents 4 0 R/Resources<<"
        + see_through
        + b"/XObject<</F 5 0 R>>>>>>",
        b"<</Length 11>>stream\n/G gs /F Do\nendstream",
    ]
    for k in range(depth):
        inner = b"/XObject<</F %d 0 R>>" % (6 + k) if k + 1 < depth else b""
        draw = b"/G gs /F Do" if k + 1 < depth else b"0 0 99 99 re f"
        objects.append(
            b"<</Type/XObject/Subtype/Form%s/Resources<<%s%s>>/Length %d>>stream\n%s\nendstream"
            % (frame, see_through, inner, len(draw), draw)
        )
    return pdf_of(objects)


def _parquet() -> bytes:
    """Return columns that unpack to a hundred times what they take."""
    import pyarrow
    import pyarrow.parquet

    stream = io.BytesIO()
    columns = {f"c{k}": np.zeros(1_300_000) for k in range(12)}
    pyarrow.parquet.write_table(pyarrow.table(columns), stream, compression="zstd")
    return stream.getvalue()


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).integers(-99, 99, (12, 1_333_000)).astype("i1"))
    return stream.getvalue()


def _matlab() -> bytes:
    from scipy.io import savemat

    stream = io.BytesIO()
    values = {"val": np.zeros((12, 1_333_000), "i1"), "fs": 500, "unit": "mV"}
    savemat(cast(str, stream), values, do_compression=True)
    return stream.getvalue()


def _hdf5() -> bytes:
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("ecg", data=np.zeros((12, 1_333_000), "f8"), compression="gzip")
    return stream.getvalue()


HURTING: Mapping[str, Callable[[], bytes]] = {
    "attributes.xml": _xml_of_attributes,
    "limits.xml": _xml_at_its_limits,
    "text.xml": lambda: b"<RestingECG><Waveform>" + b"x" * 60_000_000,
    "line.csv": lambda: b"1," * 30_000_000,
    "limits.csv": _csv_at_its_limits,
    "rgba.png": lambda: _picture("PNG", "RGBA"),
    "cmyk.jpg": lambda: _picture("JPEG", "CMYK", progressive=True),
    "float.tif": lambda: _picture("TIFF", "F", compression="tiff_lzw"),
    "rgba.webp": lambda: _picture("WEBP", "RGBA", lossless=True),
    "groups.pdf": _pdf,
    "columns.parquet": _parquet,
    "bytes.npy": _npy,
    "packed.mat": _matlab,
    "packed.h5": _hdf5,
}
