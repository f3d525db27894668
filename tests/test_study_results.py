"""A run folder's records and tables: whole on the way back, or refused in one line."""

import json
import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest

from dyssync.errors import InputError, ModelError
from dyssync.study.config import StudyConfig
from dyssync.study.record import RUN, EnvironmentRecord, RunRecord
from dyssync.study.results import StudyResults

GOLDEN = Path(__file__).parent / "golden" / "run"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder that a test may damage."""
    return shutil.copytree(GOLDEN, tmp_path / "run")


def test_a_run_folder_is_read_and_written_byte_for_byte(
    golden_run: StudyResults, tmp_path: Path
) -> None:
    golden_run.write(tmp_path)
    names = {p.relative_to(GOLDEN) for p in GOLDEN.rglob("*") if p.is_file()}
    assert {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()} == names
    for name in names:
        if name.suffix != ".npz":  # which holds the time at which it was written
            assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes(), name


def test_every_setting_of_a_study_is_in_its_record() -> None:
    recorded = {field.name for field in fields(RunRecord)}
    missing = set(StudyConfig.model_fields) - recorded
    assert not missing, f"study/record.py: RunRecord lacks {sorted(missing)}"


def test_records_differ_in_fields_but_not_in_the_command(golden_run: StudyResults) -> None:
    record = golden_run.run
    assert record.differing(replace(record, command="dyssync study --workers 1")) == []
    other = replace(record, threshold=0.6, cohort_digest="0" * 64)
    assert record.differing(other) == ["cohort_digest", "threshold"]


def test_a_name_that_is_no_text_does_not_cost_the_run(
    golden_run: StudyResults, tmp_path: Path
) -> None:
    values = json.loads(golden_run.run.to_json())
    record = RunRecord.of(
        {**values, "cohort": "caf\udce9.csv", "command": "--cohort caf\udce9.csv"}
    )
    record.save(tmp_path / RUN)
    assert RunRecord.load(tmp_path / RUN) == record
    assert record.cohort == "caf?.csv"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"threshold": "0.5"}, "threshold: "),
        ({"seeds": None}, "seeds: "),
        ({"fractions": [0.8, 0.2]}, "fractions.2: "),
        ({"differs_from_paper": {"seeds": [10]}}, "differs_from_paper.seeds.1: "),
        ({"date": "today"}, "date: Unexpected"),
    ],
)
def test_a_damaged_record_is_one_line_that_names_the_field(
    folder: Path, change: dict[str, object], finding: str
) -> None:
    values = json.loads((folder / RUN).read_text())
    (folder / RUN).write_text(json.dumps({**values, **change}))
    with pytest.raises(ModelError, match=r"^config\.json: damaged .*; make it anew$") as refused:
        StudyResults.read(folder)
    assert finding in str(refused.value)


def test_a_record_without_a_field_is_refused(folder: Path) -> None:
    path = folder / "environment.json"
    values = json.loads(path.read_text())
    del values["started"]
    path.write_text(json.dumps(values))
    with pytest.raises(ModelError, match=r"environment\.json: .*started"):
        EnvironmentRecord.load(path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("config.json", b"{", r"config\.json: damaged"),
        ("cautions.json", b"[", r"cautions\.json: damaged"),
        ("cautions.json", b'{"a": 1}', r"cautions\.json: damaged"),
        ("metrics.csv", b"", r"metrics\.csv: damaged"),
        ("metrics.csv", b"\xff\xfe\x00", r"metrics\.csv: damaged"),
        ("metrics.csv", b'model,seed\n"a', r"metrics\.csv: damaged"),
        ("metrics.csv", b"model,seed\n", r"metrics\.csv: without metric, value"),
        ("explanations/rules.csv", b"a\n", r"rules\.csv: without model, patient_id, statement"),
        ("explanations/resnet18.npz", b"PK", r"resnet18\.npz: damaged"),
    ],
)
def test_a_damaged_file_is_one_line(folder: Path, name: str, data: bytes, message: str) -> None:
    (folder / name).write_bytes(data)
    with pytest.raises(ModelError, match=message) as refused:
        StudyResults.read(folder)
    assert "\n" not in str(refused.value)


def test_all_missing_files_are_named_at_once(folder: Path) -> None:
    for name in ("metrics.csv", "config.json", "explanations/rules.csv"):
        (folder / name).unlink()
    with pytest.raises(
        InputError, match=r"metrics\.csv, explanations/rules\.csv, config\.json missing"
    ):
        StudyResults.read(folder)
