"""The verbs on files (inspect, measure, convert, render): results, refusals, what is left."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from dyssync.cli import main
from dyssync.cli.batch import Failure, Job
from dyssync.cli.exits import Exit
from dyssync.cli.paths import gather, names_of
from dyssync.cli.rows import JSONTable, write_rows
from dyssync.ecg import ECG, LEADS
from dyssync.formats import read_ecg, writable_formats
from dyssync.measurements import measure
from dyssync.measurements.measurement import NAMES

Captured = pytest.CaptureFixture[str]
GOLDEN = Path(__file__).parent / "golden" / "formats"
SIGNATURE = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF"}


@pytest.fixture
def broken(tmp_path: Path) -> str:
    path = tmp_path / "broken.hea"
    path.write_text("broken 12 250\n")
    return str(path)


@pytest.fixture
def silent(toy: tuple[list[ECG], np.ndarray], tmp_path: Path) -> Path:
    """A table that states neither rate nor unit."""
    path = tmp_path / "silent.csv"
    pd.DataFrame(toy[0][1].signal.T, columns=list(LEADS)).to_csv(path, index=False)
    return path


def records(cohort: Path, n: int) -> list[str]:
    return [str(cohort / f"rec{i:02d}.hea") for i in range(n)]


def test_a_folder_a_pattern_and_a_shells_star_mean_the_same_files(toy_cohort: Path) -> None:
    folder = toy_cohort / "corpus"
    assert len(gather([str(folder)])) == 12
    assert gather([str(folder / "*.hea")]) == gather([str(folder)])
    assert gather(sorted(str(p) for p in folder.iterdir())) == gather([str(folder)])
    assert gather([str(folder), str(folder / "c00.hea")]) == gather([str(folder)])


def test_an_xml_beside_a_header_of_its_name_stays(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.hea", "a.dat", "a.mat", "a.atr", "a.xml")]
    assert [p.name for p in gather([str(p) for p in paths])] == ["a.hea", "a.xml"]


def test_names_are_short_and_never_alike() -> None:
    assert names_of([Path("x/a/1.hea"), Path("x/b/1.hea")]) == ["a/1.hea", "b/1.hea"]
    assert names_of([Path("x/1.hea")]) == ["1.hea"]


def test_tables_hold_what_the_library_measures(
    toy_cohort: Path, broken: str, tmp_path: Path, capsys: Captured
) -> None:
    files = records(toy_cohort, 3)
    csv, parquet = tmp_path / "t.csv", tmp_path / "t.parquet"
    assert main(["measure", *files, broken, "-o", str(csv), "--workers", "1"]) == 3
    held = capsys.readouterr()
    assert held.out == f"{csv}\n"
    assert held.err.startswith("error: ")
    assert "broken.hea" in held.err
    assert held.err.endswith("3 measured, 1 failed\n")
    assert main(["measure", *files, "-o", str(parquet), "--workers", "1"]) == 0
    table, exact = pd.read_csv(csv), pd.read_parquet(parquet)
    assert list(table.columns) == list(exact.columns) == ["file", *NAMES, "cautions"]
    assert list(exact["file"]) == ["rec00.hea", "rec01.hea", "rec02.hea"]
    for i, file in enumerate(files):
        expected = measure(read_ecg(file)).values
        np.testing.assert_array_equal(exact.loc[i, list(NAMES)].to_numpy(float), expected)
        np.testing.assert_allclose(table.loc[i, list(NAMES)].to_numpy(float), expected, rtol=1e-6)
    field = pyarrow.parquet.read_schema(parquet).field("qrs_area_uvs")
    assert field.metadata[b"unit"] == b"uVs"
    assert not list(tmp_path.glob(".*"))


def test_printed_measurements_are_for_people_and_json_for_machines(
    toy_cohort: Path, broken: str, capsys: Captured
) -> None:
    files = records(toy_cohort, 2)
    assert main(["measure", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["file", "HR", "PR", "QRS"]
    assert lines[1].split()[:2] == ["rec00.hea", "75"]  # one beat in 0.8 s
    assert main(["measure", files[0]]) == 0
    out = capsys.readouterr().out
    assert "QRS onset to end, all leads together" in out
    assert "strict" not in out.splitlines()[0]
    assert main(["measure", *files, broken, "--json"]) == 3
    rows = json.loads(capsys.readouterr().out)
    assert [row["file"].rpartition("/")[2] for row in rows] == [
        *("rec00.hea", "rec01.hea", "broken.hea")
    ]
    assert rows[0]["measurements"]["heart_rate_bpm"] == pytest.approx(75.0, abs=0.5)
    assert "error" in rows[2]


def test_rows_are_written_as_they_come_what_failed_among_them() -> None:
    file = StringIO()

    def found() -> Iterator[int | Failure]:
        yield 1
        assert file.getvalue().endswith('{"file": "a", "n": 1}')
        yield Failure("b", "b: broken")
        assert file.getvalue().endswith('{"file": "b", "error": "b: broken"}')
        yield 3

    jobs = [Job(Path(name), name) for name in "abc"]
    with JSONTable[int](file, lambda n: {"n": n}) as table:
        assert write_rows(table, jobs, found()) == (2, [Failure("b", "b: broken")])
    assert [row["file"] for row in json.loads(file.getvalue())] == ["a", "b", "c"]


def test_rate_and_unit_may_be_declared(silent: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["measure", str(silent), "--json"]) == 2
    assert "sampling rate" in capsys.readouterr().err
    declared = ["--fs", "250", "--unit", "mV"]
    assert main(["measure", str(silent), "--json", *declared]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["measurements"]["heart_rate_bpm"] == pytest.approx(75.0, abs=0.5)
    assert main(["inspect", str(silent), *declared]) == 0
    assert main(["render", str(silent), "--out", str(tmp_path / "p"), *declared]) == 0
    assert (
        main(["convert", str(silent), "--to", "csv", "--out", str(tmp_path / "c"), *declared]) == 0
    )
    assert main(["inspect", str(tmp_path / "c" / "silent.csv")]) == 0  # now it says both


def test_nothing_is_written_when_nothing_can_be_measured(
    broken: str, tmp_path: Path, capsys: Captured
) -> None:
    assert main(["measure", broken, "missing.hea", "-o", str(tmp_path / "t.csv")]) == 2
    err = capsys.readouterr().err
    assert "missing.hea: no such file" in err
    assert [p.name for p in tmp_path.iterdir()] == ["broken.hea"]


@pytest.mark.parametrize(
    "call",
    [
        ["measure", "--json"],
        ["convert", "--to", "wfdb", "--keep-identifiers", "--out", "OUT"],
        ["render", "--format", "svg", "--layout", "tiles", "--out", "OUT"],
    ],
    ids=lambda call: call[0],
)
def test_two_workers_do_the_same_as_one(
    call: list[str], toy_cohort: Path, broken: str, tmp_path: Path, capsys: Captured
) -> None:
    verb, *options = call
    files = records(toy_cohort, 4)
    files.insert(2, broken)
    told = []
    for workers in ("1", "2"):
        out = tmp_path / workers
        words = [str(out) if word == "OUT" else word for word in options]
        assert main([verb, *files, *words, "--workers", workers]) == Exit.SOME_FAILED
        held = capsys.readouterr()
        made = {p.name: p.read_bytes() for p in out.iterdir()} if out.exists() else {}
        told.append((held.out.replace(str(out), "OUT"), held.err, made))
    assert told[0] == told[1]


@pytest.mark.parametrize("verb", ["measure", "inspect", "convert", "render"])
def test_nothing_is_replaced_without_force(verb: str, toy_cohort: Path, tmp_path: Path) -> None:
    file = records(toy_cohort, 1)[0]
    call, target = {
        "measure": (["measure", file, "-o", str(tmp_path / "t.csv")], "t.csv"),
        "inspect": (["inspect", file, "--picture", str(tmp_path / "p.svg")], "p.svg"),
        "convert": (["convert", file, "--to", "edf", "--out", str(tmp_path)], "rec00.edf"),
        "render": (["render", file, "--format", "svg", "--out", str(tmp_path)], "rec00.svg"),
    }[verb]
    (tmp_path / target).write_text("mine")
    assert main(call) == 2
    assert (tmp_path / target).read_text() == "mine"
    assert main([*call, "--force"]) == 0
    assert (tmp_path / target).read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["measure", "FILE", "-o", "table.xlsx"], ".csv or .parquet is needed"),
        (["measure", "FILE", "-o", "nowhere/table.csv"], "there is no folder"),
        (["measure", "no-*.hea"], "no files"),
        (["convert", "FILE", "--to", "muse-xml", "--out", "x"], "Choices: csv"),
        (["convert", "FILE", "--to", "wfdb", "--out", "HOME", "--force"], "would replace"),
        (["render", "FILE", "--out", "x", "--dpi", "0"], "dpi is 0; 20 to 1200"),
        (["render", "FILE", "--out", "x", "--dpi", "nan"], "--dpi: not finite"),
        (["render", "FILE", "--out", "x", "--layout", "3x5"], "Nearest: 3x4"),
        (["render", "FILE", "--out", "x", "--style", "redd"], "Nearest: red"),
        (["render", "FILE", "--out", "x", "--format", "gif"], "pdf, png, svg"),
        (["render", "FILE", "--out", "x", "--start", "60"], "lower --start"),
        (["inspect", "FILE", "--picture", "page.gif"], "Choices: pdf, png, svg"),
        (["inspect", "FILE", "--fs", "100"], "the file says 250 Hz"),
    ],
)
def test_wrong_calls_end_with_2_before_the_work(
    call: list[str],
    message: str,
    toy_cohort: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = records(toy_cohort, 1)[0]
    before = (toy_cohort / "rec00.dat").read_bytes()
    words = [{"FILE": file, "HOME": str(toy_cohort)}.get(word, word) for word in call]
    assert main(words) == 2
    held = capsys.readouterr()
    assert message in held.err
    assert held.out == ""
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
    assert (toy_cohort / "rec00.dat").read_bytes() == before


@pytest.mark.parametrize("to", writable_formats())
def test_converted_files_hold_the_same_ecg(to: str, toy_cohort: Path, tmp_path: Path) -> None:
    files = records(toy_cohort, 2)
    assert main(["convert", *files, "--to", to, "--out", str(tmp_path)]) == 0
    for file in files:
        (path,) = [p for p in tmp_path.glob(f"{Path(file).stem}.*") if p.suffix != ".dat"]
        first, second = read_ecg(file), read_ecg(path)
        assert second.source.format == to
        assert second.fs == first.fs
        np.testing.assert_allclose(second.signal, first.signal, atol=0.51e-3)
    assert not list(tmp_path.glob(".*"))


def test_two_inputs_of_one_name_carry_their_folders_or_are_refused_before_anything_is_written(
    toy_cohort: Path, tmp_path: Path, capsys: Captured
) -> None:
    files = []
    for name in ("a/one", "b/one", "a-one"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        for part in (".hea", ".dat"):
            source = (toy_cohort / f"rec00{part}").read_bytes().replace(b"rec00", b"one")
            (tmp_path / "in" / f"{name}{part}").write_bytes(source)
        files.append(str(tmp_path / "in" / f"{name}.hea"))
    assert main(["convert", *files[:2], "--to", "csv", "--out", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a-one.csv", "b-one.csv"}
    assert main(["convert", *files, "--to", "csv", "--out", str(tmp_path / "other")]) == 2
    assert "would become one file; rename them" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_identifiers_go_into_their_own_table_only_when_asked_for(
    tmp_path: Path, capsys: Captured
) -> None:
    xml = next(p for p in sorted(GOLDEN.glob("*.xml")) if _patient_id(p))
    call = ["convert", str(xml), "--to", "csv", "--out"]
    assert main([*call, str(tmp_path / "a")]) == 0
    assert len(list((tmp_path / "a").iterdir())) == 1
    assert main([*call, str(tmp_path / "b"), "--keep-identifiers"]) == 0
    table = pd.read_csv(tmp_path / "b" / "identifiers.csv", dtype=str)
    assert table["patient_id"].tolist() == [_patient_id(xml)]
    capsys.readouterr()
    assert main(["inspect", str(xml), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patient_id"] is None
    assert main(["inspect", str(xml), "--json", "--keep-identifiers"]) == 0
    assert json.loads(capsys.readouterr().out)["patient_id"] == _patient_id(xml)


def _patient_id(path: Path) -> str | None:
    from dyssync.formats import ReadOptions

    return read_ecg(path, ReadOptions(keep_identifiers=True)).patient_id


def test_pages_of_every_kind_are_drawn_and_bad_files_listed(
    toy_cohort: Path, broken: str, tmp_path: Path, capsys: Captured
) -> None:
    file = records(toy_cohort, 1)[0]
    for kind, layout in (("png", "3x4+II"), ("svg", "tiles"), ("pdf", "6x2")):
        call = ["render", file, broken, "--format", kind, "--layout", layout, "--dpi", "60"]
        assert main([*call, "--out", str(tmp_path / kind)]) == 3
        (page,) = (tmp_path / kind).iterdir()
        assert page.name == f"rec00.{kind}"
        assert page.read_bytes().startswith(SIGNATURE[kind])
        assert "broken.hea" in capsys.readouterr().err


def test_inspect_tells_lead_by_lead_and_draws(
    toy: tuple[list[ECG], np.ndarray], tmp_path: Path, capsys: Captured
) -> None:
    signal = toy[0][1].signal.copy()
    signal[LEADS.index("V2")] = 0.0
    path = tmp_path / "one.parquet"
    from dyssync.formats import write_ecg

    write_ecg(ECG(signal, 250.0, age=71.0, sex="F"), tmp_path, "one", "parquet")
    page, beat = tmp_path / "page.svg", tmp_path / "beat.png"
    assert main(["inspect", str(path), "--picture", str(page), "--beat", str(beat)]) == 0
    out = capsys.readouterr().out
    assert "10.0 s at 250 Hz, 12 leads" in out
    assert "71 years, female" in out
    assert next(line for line in out.splitlines() if line.strip().startswith("V2 ")).endswith(
        "flat"
    )
    assert "V2: flat" in out
    assert page.read_bytes().startswith(SIGNATURE["svg"])
    assert beat.read_bytes().startswith(SIGNATURE["png"])
    assert main(["inspect", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["leads"][LEADS.index("V2")]["faults"] == ["flat"]
    assert told["measurements"]["q_mv_V2"] is None


def test_inspect_says_what_a_picture_is(tmp_path: Path, capsys: Captured) -> None:
    from PIL import Image

    Image.new("RGB", (400, 300), "white").save(tmp_path / "scan.png")
    assert main(["inspect", str(tmp_path / "scan.png")]) == 0
    assert "400 x 300 px" in capsys.readouterr().out
    call = ["inspect", str(tmp_path / "scan.png"), "--beat", str(tmp_path / "beat.png")]
    assert main(call) == 2


@pytest.mark.real_data
def test_inspect_shows_the_recorders_measurements_beside_ours(
    shared_data: Path, capsys: Captured
) -> None:
    path = shared_data / "formats" / "philips-sierra" / "129DYPRG_v1.03.XML"
    assert main(["inspect", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("  PR ms")).split()[-1] == "151"
    assert "  Sinus bradycardia" in lines
