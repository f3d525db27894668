"""The command line: codes, what goes to stdout and what to stderr, and how fast help comes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dyssync.cli import main
from dyssync.cli.app import make_app
from dyssync.cli.exits import Exit
from dyssync.ecg import ECG, LEADS
from dyssync.formats import FORMATS, write_ecg
from dyssync.prediction.bundle import load_bundle
from dyssync.workers import THREAD_SETTINGS

# one process: what its tests share takes a while to make
pytestmark = pytest.mark.xdist_group("run")

Toy = tuple[list[ECG], np.ndarray]
Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parent.parent


def verbs() -> list[str]:
    names = [c.name or c.callback.__name__ for c in make_app().registered_commands if c.callback]
    assert len(names) >= 4
    return names


@pytest.mark.parametrize("verb", verbs())
def test_help_of_every_verb_has_an_example_and_the_readme_names_it(
    verb: str, capsys: Captured
) -> None:
    assert main([verb, "--help"]) == 0
    assert f"Example: dyssync {verb}" in capsys.readouterr().out
    assert f"dyssync {verb}" in (ROOT / "README.md").read_text()


def test_a_call_makes_its_own_verb_alone_and_an_unknown_one_all() -> None:
    for verb in verbs():
        made = make_app([verb, "--help"]).registered_commands
        assert [c.name for c in made] == [verb]
    assert make_app(["corpus", "add"]).registered_commands == []  # it stands with its like
    assert len(make_app(["convrt"]).registered_commands) == len(verbs())


def test_no_verb_imports_another() -> None:
    folder = ROOT / "src" / "dyssync" / "cli"
    homes = {c.callback.__module__ for c in make_app().registered_commands if c.callback}
    assert len(homes) == len(verbs())
    for home in homes:
        text = (folder / f"{home.rpartition('.')[2]}.py").read_text()
        named = {home for home in homes if re.search(rf"{home}\b", text)}
        assert not named, f"{home} imports {named}; what two verbs share is no verb's"


@pytest.mark.parametrize(("call", "needed"), [("--help", set()), ("list formats", {"numpy"})])
def test_what_answers_at_once_imports_nothing_heavy(call: str, needed: set[str]) -> None:
    code = (
        "import sys; from dyssync.cli import main; main(sys.argv[1:]); "
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *call.split()], capture_output=True, text=True, check=True
    )
    heavy = {
        *("torch", "lightgbm", "matplotlib", "monai", "pandas", "scipy", "numpy", "sklearn"),
        *("numba", "cv2", "pyarrow", "pydicom", "h5py", "PIL"),
    }
    assert heavy & set(done.stderr.split()) == needed


@pytest.mark.parametrize(("said", "used"), [(None, "1"), ("2", "2")])
def test_a_verb_computes_with_one_thread_unless_the_user_says_else(
    said: str | None, used: str, toy_cohort: Path
) -> None:
    code = (
        "import sys; from dyssync.cli import main; main(['measure', sys.argv[1]]); "
        "from threadpoolctl import threadpool_info as info; "
        "print(*{str(library['num_threads']) for library in info()}, file=sys.stderr)"
    )
    told = {name: text for name, text in os.environ.items() if name not in THREAD_SETTINGS}
    told |= {} if said is None else dict.fromkeys(THREAD_SETTINGS, said)
    call = [sys.executable, "-c", code, str(toy_cohort / "rec00.hea")]
    done = subprocess.run(call, capture_output=True, text=True, check=True, env=told)
    assert done.stderr.split() == [used]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["study"], "--out"),
        (["studdy"], "studdy"),
        (["predict", "nowhere", "a.hea"], "no bundle"),
        (["serve", "nowhere"], "no bundle"),
        (["check", "nowhere.csv"], "no such file"),
        (["list", "model"], "unknown kind 'model'"),
        (["inspect", "."], ".: a folder; a regular file is needed"),
        (["inspect", ""], ".: a folder; a regular file is needed"),
        (["inspect", ".."], "..: a folder; a regular file is needed"),
        (["study", "--cohort", "c.csv", "--out", "x", "--models", "resnet"], "Nearest: resnet18"),
    ],
)
def test_wrong_calls_end_with_2_and_one_line(
    call: list[str], message: str, capsys: Captured
) -> None:
    assert main(call) == 2
    held = capsys.readouterr()
    assert held.out == ""
    assert held.err.startswith("error: ")
    assert message in held.err
    assert held.err.count("\n") == 1


def test_list_describes_formats_and_names_the_rest(capsys: Captured) -> None:
    assert main(["list", "formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FORMATS)
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        FORMATS[name].description for name in FORMATS
    ]
    assert main(["list", "models"]) == 0
    assert capsys.readouterr().out.split() == [
        *("resnet18", "ssl-resnet18", "sim-resnet18", "combined", "lightgbm", "ridge", "logistic"),
        *("guideline-esc-2021", "guideline-hrs-2023", "qrs-area", "lbbb-strauss", "prevalence"),
    ]


def test_check_tells_all_or_nothing(toy_cohort: Path, capsys: Captured) -> None:
    assert main(["check", str(toy_cohort / "cohort.csv")]) == 0
    out = capsys.readouterr().out
    assert "48 recordings of 48 patients" in out
    assert out.endswith("no problems\n")
    assert main(["check", str(toy_cohort / "cohort.csv"), "--seconds", "12", "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)) == 49  # each row, and that nobody is left


def test_predict_scores_good_files_and_lists_bad_ones_at_their_place(
    finished_run: Path, toy_cohort: Path, tmp_path: Path, capsys: Captured
) -> None:
    empty = tmp_path / "empty.hea"
    empty.write_text("")
    good = [str(toy_cohort / f"rec{i:02d}.hea") for i in range(2)]
    call = ["predict", str(finished_run), "--models", "qrs-area,prevalence"]
    assert main([*call, *good, "--json"]) == Exit.DONE
    rows = json.loads(capsys.readouterr().out)
    assert [row["file"] for row in rows] == ["rec00.hea", "rec01.hea"]
    assert list(rows[0]["models"]) == ["qrs-area", "prevalence"]
    assert main([*call, good[0], str(empty), good[1], "--json"]) == Exit.SOME_FAILED
    held = capsys.readouterr()
    assert held.err.endswith("2 scored, 1 failed\n")
    names = [row["file"] for row in json.loads(held.out)]
    assert [Path(name).name for name in names] == ["rec00.hea", "empty.hea", "rec01.hea"]
    assert json.loads(held.out)[1]["error"].startswith(names[1])
    assert main([*call, str(empty)]) == Exit.INPUT
    held = capsys.readouterr()
    assert held.out == ""
    assert held.err == "error: empty.hea: the file is empty (0 bytes); an ECG file is needed\n"


def test_predict_takes_folders_and_patterns_and_prints_a_block_a_file(
    finished_run: Path, toy_cohort: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(toy_cohort / "corpus")
    call = ["predict", str(finished_run), "--models", "qrs-area,prevalence"]
    assert main([*call, "."]) == Exit.DONE
    lines = capsys.readouterr().out.splitlines()
    blocks = [line for line in lines if ".hea: base rate" in line]
    assert [line.partition(":")[0] for line in blocks] == [f"c{i:02d}.hea" for i in range(12)]
    for model in ("qrs-area", "prevalence"):
        assert sum(line.startswith(f"  {model} ") for line in lines) == len(blocks)
    assert sum(line.startswith("probability of response") for line in lines) == 1
    assert main([*call, "c0[0-3].hea", "--json"]) == Exit.DONE
    assert len(json.loads(capsys.readouterr().out)) == 4


def test_predict_gives_one_answer_and_all_only_when_asked(
    finished_run: Path, toy_cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = load_bundle(finished_run).about.best_first
    assert not {"qrs-area", "guideline-esc-2021"} & set(order), "rules answer beside, not instead"
    call = ["predict", str(finished_run), str(toy_cohort / "rec01.hea")]
    assert main(call) == 0
    said = capsys.readouterr().out
    assert f"rests on: {order[0]}, by " in said
    assert "f 100 such patients" in said or "Defer" in said
    assert "QRS area " in said
    assert "probability" not in said
    assert main([*call, "--all"]) == 0
    rows = capsys.readouterr().out
    assert all(name in rows for name in order)
    assert main([*call, "--json"]) == 0
    (held,) = json.loads(capsys.readouterr().out)
    assert held["answer"] == order[0]
    assert set(held["models"]) == set(load_bundle(finished_run).members)


def test_predict_writes_exports_beside_each_other(
    finished_run: Path, toy_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(toy_cohort / f"rec0{k}.hea") for k in range(2)]
    call = ["predict", str(finished_run), *files, str(tmp_path / "missing.xml")]
    out = tmp_path / "out"
    assert main([*call, "--to", "fhir", "--out", str(out)]) == 3
    assert "missing.xml" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ["rec00.fhir.json", "rec01.fhir.json"]
    held = json.loads((out / "rec00.fhir.json").read_text())
    assert held["resourceType"] == "Bundle"
    assert main([*call, "--to", "fhir", "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    for wrong in (["--to", "pdf"], ["--to", "pdf", "--out", str(out), "--all"]):
        assert main([*call, *wrong]) == 2
        assert "--to needs --out" in capsys.readouterr().err
    assert main([*call, "--to", "word", "--out", str(out)]) == 2
    assert "Choices: dicom, fhir, pdf" in capsys.readouterr().err


def test_predict_takes_a_declared_rate(
    finished_run: Path, tmp_path: Path, toy: Toy, capsys: Captured
) -> None:
    path = tmp_path / "silent.csv"
    np.savetxt(path, toy[0][0].signal.T, delimiter=",", header=",".join(LEADS), comments="")
    call = ["predict", str(finished_run), str(path), "--models", "prevalence"]
    assert main(call) == Exit.INPUT
    assert "sampling rate" in capsys.readouterr().err
    assert main([*call, "--fs", "250", "--unit", "mV"]) == Exit.DONE


def test_predict_gives_each_file_its_clinical_facts_or_says_which_is_in_doubt(
    finished_run: Path, toy: Toy, tmp_path: Path, capsys: Captured
) -> None:
    for folder, k in (("a", 0), ("b", 1)):
        (tmp_path / folder).mkdir()
        write_ecg(toy[0][k], tmp_path / folder, "one", "csv")
    table = tmp_path / "a" / "facts.csv"
    table.write_text("ecg,lvef\none.csv,25\n")
    call = ["predict", str(finished_run), "--models", "guideline-esc-2021", "--json"]
    call += ["--clinical", str(table)]
    assert main([*call, str(tmp_path / "a")]) == Exit.DONE  # the table there is no ECG
    (row,) = json.loads(capsys.readouterr().out)
    statement = row["models"]["guideline-esc-2021"]["statement"]
    assert statement.endswith("meet the condition: nyha")  # and not lvef
    assert main([*call, str(tmp_path)]) == Exit.INPUT
    assert "several are called one.csv" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["nan", "flat", "eleven", "short", "microvolt"])
def test_predict_refuses_what_is_no_usable_ecg_in_one_line(
    kind: str, finished_run: Path, tmp_path: Path, capsys: Captured, toy: Toy
) -> None:
    ecg = toy[0][0]
    signal = ecg.signal.T.copy()
    names = list(LEADS)
    if kind == "nan":
        signal[100, 3] = np.nan
    elif kind == "flat":
        signal[:, 7] = 0.0
    elif kind == "eleven":
        signal, names = signal[:, :11], names[:11]
    elif kind == "short":
        signal = signal[: 8 * 250]
    else:
        signal = signal * 1000
    path = tmp_path / f"{kind}.csv"
    lines = ["# fs: 250", "# unit: mV", ",".join(names)]
    path.write_text("\n".join(lines + [",".join(f"{v:.5f}" for v in row) for row in signal]))
    assert main(["predict", str(finished_run), str(path), "--models", "prevalence"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    expected = {
        "nan": "missing value", "flat": "flat leads V2", "eleven": "11 leads",
        "short": "8.0 s of signal, 10 s needed", "microvolt": "looks like microvolt",
    }  # fmt: skip
    assert expected[kind] in err
    assert path.name in err
