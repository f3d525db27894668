"""What a reader says of a file quotes nothing of it: seen in the source, and on marked files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from wording import doubtful, readers

from dyssync.errors import FormatError, InputError
from dyssync.formats import ReadOptions, parse_input, read_ecg
from dyssync.formats.reading.beat import NOTE
from mutations import mutate, mutate_xml, repaired

GOLDEN = Path(__file__).parent / "golden" / "formats"
FILES = sorted(p.name for p in GOLDEN.glob("*.*") if p.suffix != ".json")
MARK = "Zq7Kowalski"  # as a name in the wrong place
FIELDS = re.compile(rb"[A-Za-z][ -~]{3,}")  # of files that are no text; blanks fill fields up


def test_no_text_of_a_reader_quotes_its_file() -> None:
    found = doubtful(readers())
    assert not found, "\n".join(["not seen to be free of content (tools/wording.py):", *found])


@pytest.mark.parametrize(
    "line",
    [
        'raise FormatError(f"lead {label} is there twice")',
        'raise FormatError(f"unit {field.strip()!r}")',
        'raise FormatError("unit " + label)',
        'raise FormatError("unit %s" % label)',
        'raise FormatError("unit {}".format(label))',
        "raise FormatError(label)",
        "error = TooLarge(label); raise error",
        'raise FormatError(", ".join(x for x in field))',
        'raise FormatError(f"{name.decode():>8}")',
        'what = f"lead {label}"; raise FormatError(f"{what} is empty")',
        'for x in field: raise FormatError(f"{x} is none")',
        'parts = ["lead"]; parts.append(label); raise FormatError(" ".join(parts))',
        'number(label, f"rate of {label}")',
        'doubts = Doubt("steps", (), f"{label} has another range", "caution")',
        "try: int(label)\n    except ValueError as error: raise FormatError(str(error))",
        "return label",
    ],
)
def test_a_text_that_quotes_is_found(line: str) -> None:
    head = "def number(text: str, what: Words) -> float: ...\n"
    body = f"def read(label: str, field: list[str], name: bytes) -> Words:\n    {line}\n"
    assert doubtful({"reader.py": head + body})


@pytest.mark.parametrize(
    "line",
    [
        'raise FormatError(f"{len(label)} characters in line {count}, {rate:g} Hz")',
        'what = f"signal {count + 1}"; raise FormatError(f"{what}: {number(label, what):g}")',
        'for i, x in enumerate(field): raise FormatError(f"line {i}")',
        'for x in ("origin", "scale"): raise FormatError(f"no {x}")',
        'raise FormatError(f"one of {UNITS} is needed")',
        "try: read(label)\n    except FormatError as error: raise FormatError(str(error))",
    ],
)
def test_a_text_that_quotes_nothing_passes(line: str) -> None:
    head = "def number(text: str, what: Words) -> float: ...\n"
    body = f"def read(label: str, field: list[str], count: int, rate: float) -> None:\n    {line}\n"
    assert not doubtful({"reader.py": head + body})


def marked_xml(data: bytes, rng: np.random.Generator, k: int) -> bytes:
    """Return XML with :data:`MARK` for its k-th text or attribute; then damaged, every other."""
    text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8")
    text = re.sub(r"<\?xml[^>]*>", "", text)
    fields = [m.span(1) for m in re.finditer(r">([^<>]*[^<>\s][^<>]*)<", text)]
    fields += [m.span(1) for m in re.finditer(r'="([^"]*)"', text)]
    start, end = fields[k % len(fields)]
    made = (text[:start] + MARK + text[end:]).encode()
    return mutate_xml(made, rng) if k % 2 else made


def marked(name: str, data: bytes, rng: np.random.Generator, k: int) -> bytes:
    """Return a file with :data:`MARK` in its k-th field of text; then damaged, every other.

    In files that are no text a field keeps its length; every fourth mark stands anywhere.
    """
    if name.endswith(".xml"):
        return marked_xml(data, rng, k)
    mark = MARK.encode()
    if k % 4 == 3:
        start = int(rng.integers(0, min(len(data), 3000)))
        new, end = mark, start + int(rng.choice([0, len(mark)]))
    elif name.endswith((".csv", ".hea")):
        fields = [m.span() for m in re.finditer(rb"[^\s,;:]+", data[:6000])]
        (start, end), new = fields[k % len(fields)], mark
    else:
        fields = [m.span() for m in FIELDS.finditer(data)] or [(0, 12)]
        start, end = fields[k % len(fields)]
        new = (mark * (1 + (end - start) // len(mark)))[: end - start]
    made = data[:start] + new + data[end:]
    return mutate(made, rng) if k % 2 else made


def said_of(name: str, data: bytes, options: ReadOptions) -> tuple[list[str], bool]:
    """Return what is said of a file beside what it holds, and whether it was refused."""
    beside = {"golden.dat": (GOLDEN / "golden.dat").read_bytes()}
    try:
        found = parse_input(f"a{Path(name).suffix}", data, options, beside)
    except InputError as error:
        return [str(error)], True
    doubts = [doubt.sentence for doubt in getattr(found, "doubts", ())]
    return [*doubts, getattr(found, "notes", {}).get(NOTE, "")], False


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_is_said_quotes_the_file(name: str) -> None:
    data = (GOLDEN / name).read_bytes()
    beside = {"golden.dat": (GOLDEN / "golden.dat").read_bytes()}
    forced = None if name == "golden.dat" else parse_input(name, data, beside=beside).source.format
    rng = np.random.default_rng(0)
    tries = 60 if name.endswith((".pdf", ".mat", ".h5", ".parquet")) else 200  # these fork
    refusals = 0
    for k in range(tries):
        made = repaired(forced or "", marked(name, data, rng, k))
        texts, refused = said_of(name, made, ReadOptions(forced if k % 3 else None))
        refusals += refused
        for text in texts:
            assert not any(MARK[i : i + 4] in text for i in range(len(MARK) - 3)), text
            assert "SECRET" not in text  # which is the patient in all of these files
            assert text.isprintable()
    # a PDF is mended by its library; of all others a good part is refused, or nothing is tested
    assert refusals > tries * (0.05 if name.endswith(".pdf") else 0.2)


def two_arrays(kind: str) -> tuple[str, bytes]:
    """Return a file with two different matrices of leads, both named as somebody may be."""
    import h5py
    import scipy.io

    rng = np.random.default_rng(0)
    arrays = {f"{MARK}_{k}": rng.normal(size=(12, 5000)) for k in "ab"}
    stream = io.BytesIO()
    if kind == "h5":
        with h5py.File(stream, "w") as file:
            for key, array in arrays.items():
                file[key] = array
    elif kind == "mat":
        scipy.io.savemat(stream, arrays)
    else:
        np.savez(stream, **arrays)
    return f"a.{kind}", stream.getvalue()


def header_that_names(file: str) -> tuple[str, bytes]:
    """Return a WFDB header whose signals stand in `file`."""
    return "golden.hea", (GOLDEN / "golden.hea").read_bytes().replace(b"golden.dat", file.encode())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        two_arrays("h5"),
        two_arrays("mat"),
        two_arrays("npz"),
        header_that_names(f"golden.{MARK}"),
        header_that_names(MARK * 30),  # longer than the name of a file can be
    ],
    ids=["hdf5", "matlab", "numpy", "a signal file", "a long name"],
)
def test_names_in_a_file_are_not_said(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    options = ReadOptions() if name == "golden.hea" else ReadOptions(fs=500.0, unit="mV")
    with pytest.raises(FormatError) as refused:
        read_ecg(tmp_path / name, options)
    assert MARK[:4] not in str(refused.value)
