"""Files that were read wrongly without a word: each kind is now read right, doubted or refused."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dyssync.cli import main
from dyssync.ecg import ECG, LEAD_INDEX, LEADS
from dyssync.errors import FormatError
from dyssync.formats import ReadOptions, parse_ecg
from dyssync.formats.csv import write_csv
from dyssync.measurements import measure

FS = 500.0
STATED = ReadOptions(fs=FS, unit="mV")
STORED = ("I", "II", *LEADS[6:])
# Leads that a page shows at one time.
THREE_BY_FOUR = (LEADS[:3], LEADS[3:6], LEADS[6:9], LEADS[9:])
SIX_BY_TWO = (LEADS[:6], LEADS[6:])


@pytest.fixture(scope="module")
def right() -> NDArray[np.float64]:
    """Ten seconds of a wide QRS at 75/min, with noise, in steps of 1 uV, (12, n) mV."""
    phase = (np.arange(5000) / FS - 0.3) % 0.8

    def wave(centre: float, width: float) -> NDArray[np.float64]:
        return np.exp(-0.5 * ((phase - centre) / width) ** 2)

    gains = np.array([0.8, 1.3, -0.6, -0.9, 0.5, 1.2, 1.3, 1.0])
    eight = np.outer(gains, wave(0.25, 0.035))
    eight += np.outer(np.abs(gains) * 0.2, 0.5 * wave(0.1, 0.02) - wave(0.5, 0.04))
    counts = np.rint(1000 * (eight + np.random.default_rng(7).normal(0, 0.01, eight.shape)))
    i, ii = 2 * np.rint(counts[:2] / 2)  # so that their halves are whole too
    limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    return np.stack([*limb, *counts[2:]]) / 1000


def table(signal: NDArray[np.float64], names: Sequence[str] = LEADS, decimals: int = 4) -> str:
    rows = [",".join(f"{value:.{decimals}f}" for value in row) for row in signal.T]
    return "\n".join([",".join(names), *rows]) + "\n"


def read(text: str | bytes, options: ReadOptions = STATED, name: str = "a.csv") -> ECG:
    return parse_ecg(name, text.encode() if isinstance(text, str) else text, options)


def refusal(text: str | bytes, options: ReadOptions = STATED, name: str = "a.csv") -> str:
    with pytest.raises(FormatError) as caught:
        read(text, options, name)
    return str(caught.value)


def changed(signal: NDArray[np.float64], **gains: float) -> NDArray[np.float64]:
    made = signal.copy()
    for lead, gain in gains.items():
        made[LEAD_INDEX[lead]] *= gain
    return made


def test_a_sound_recording_has_no_doubts(right: NDArray[np.float64]) -> None:
    ecg = read(table(right))
    assert ecg.doubts == ()
    np.testing.assert_allclose(ecg.signal, right, atol=1e-6)


# 03: arrays of fixed length


@pytest.mark.parametrize("fill", ["zeros", "last value", "NaN"])
@pytest.mark.parametrize(("first", "last"), [(0, 2000), (3000, 5000), (0, 3500)])
def test_constant_stretches_are_left_out(
    right: NDArray[np.float64], fill: str, first: int, last: int
) -> None:
    made = right.copy()
    beyond = [slice(0, first), slice(last, 5000)]
    for part, edge in zip(beyond, (first, last - 1), strict=True):
        value = {"zeros": 0.0, "NaN": np.nan}.get(fill, right[:, edge : edge + 1])
        made[:, part] = value
    ecg = read(table(made))
    assert abs(ecg.seconds - (last - first) / FS) <= 2 / FS
    assert "constant in all leads" in ecg.doubts[0].sentence
    assert abs(measure(ecg)["heart_rate_bpm"] - 75) < 1


def test_a_gap_within_is_named_and_the_longer_part_taken(right: NDArray[np.float64]) -> None:
    made = right.copy()
    made[:, 1500:2500] = 0.0
    ecg = read(table(made))
    assert ecg.seconds == pytest.approx(5.0, abs=0.01)
    assert "3.0 to 5.0 s" in ecg.doubts[0].sentence


def test_a_drawing_without_noise_is_no_row_of_gaps() -> None:
    t = np.arange(5000) / FS
    qrs = np.where(t % 1.2 < 0.1, np.sin(2 * np.pi * 10 * (t % 1.2)), 0.0)  # still for 1.1 s
    i, ii = 0.6 * qrs, 1.0 * qrs
    limb = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]
    made = np.stack([*limb, *(g * qrs for g in (-0.6, -1.0, 0.7, 1.3, 1.2, 0.9))])
    assert read(table(made)).seconds == 10


# 04: columns of a page


@pytest.mark.parametrize("layout", [THREE_BY_FOUR, SIX_BY_TWO])
@pytest.mark.parametrize("fill", [0.0, np.nan, 0.2])
@pytest.mark.parametrize("rhythm", [None, "II"])
def test_leads_that_fill_in_for_each_other_are_refused(
    right: NDArray[np.float64], layout: Sequence[Sequence[str]], fill: float, rhythm: str | None
) -> None:
    made = np.full_like(right, fill)
    width = right.shape[1] // len(layout)
    for k, group in enumerate(layout):
        for lead in group:
            part = slice(0, None) if lead == rhythm else slice(k * width, (k + 1) * width)
            made[LEAD_INDEX[lead], part] = right[LEAD_INDEX[lead], part]
    assert "not recorded together" in refusal(table(made))


@pytest.mark.parametrize("layout", [THREE_BY_FOUR, SIX_BY_TWO])
@pytest.mark.parametrize("names", [LEADS, STORED])
def test_leads_of_other_times_side_by_side_are_refused(
    right: NDArray[np.float64], layout: Sequence[Sequence[str]], names: Sequence[str]
) -> None:
    width = right.shape[1] // len(layout)
    made = np.concatenate(
        [
            right[[LEAD_INDEX[lead] for lead in group], k * (width - 150) :][:, :width]
            for k, group in enumerate(layout)
        ]
    )
    text = table(made[[LEAD_INDEX[lead] for lead in names]], names)
    assert "not recorded together" in refusal(text)


# 05 and single gains


@pytest.mark.parametrize(
    ("gains", "lead"),
    [
        ({"I": 2.0}, "I"),
        ({"II": -1.0}, "II"),
        ({"II": 5.0}, "II"),
        ({"III": 1.3}, "III"),
        ({"aVR": -1.0}, "aVR"),
        ({"aVL": 0.7}, "aVL"),
    ],
)
def test_the_limb_lead_that_contradicts_is_named(
    right: NDArray[np.float64], gains: Mapping[str, float], lead: str
) -> None:
    text = table(changed(right, **gains))
    if lead in ("I", "II"):  # axis and areas would be wrong altogether
        assert f": {lead} contradicts" in refusal(text)
        return
    ecg = read(text)
    assert ecg.withheld_leads == (lead,)
    found = measure(ecg)
    assert any(f"{lead} contradicts" in sentence for sentence in found.cautions)
    assert np.isnan(found["cornell_mv"]) == (lead == "aVL")


def test_exchanged_names_are_told_from_a_wrong_gain(right: NDArray[np.float64]) -> None:
    names = [{"aVL": "aVF", "aVF": "aVL"}.get(lead, lead) for lead in LEADS]
    doubt = read(table(right, names)).doubts[0]
    assert doubt.leads == ("aVL", "aVF")
    assert "exchanged" in doubt.sentence
    assert doubt.consequence == "withhold"


@pytest.mark.parametrize("lead", ["V1", "V2", "V3", "V5", "V6"])
@pytest.mark.parametrize("gain", [0.01, 0.1, 10.0])
def test_a_chest_lead_out_of_proportion_is_named(
    right: NDArray[np.float64], lead: str, gain: float
) -> None:
    doubts = read(table(changed(right, **{lead: gain}), decimals=3)).doubts
    assert lead in {name for doubt in doubts for name in doubt.leads}


def test_a_flat_chest_lead_hides_no_wrong_gain_of_another(right: NDArray[np.float64]) -> None:
    doubts = read(table(changed(right, V1=0.0, V4=10.0))).doubts
    assert ("V4",) in [doubt.leads for doubt in doubts if doubt.name == "chest leads"]
    assert not [d for d in read(table(changed(right, V1=0.0))).doubts if d.name == "chest leads"]


@pytest.mark.parametrize("lead", ["II", "V2", "V6"])
def test_a_thousand_times_one_lead_is_refused(right: NDArray[np.float64], lead: str) -> None:
    assert lead in refusal(table(changed(right, **{lead: 1000.0})))


# 09: all leads


@pytest.mark.parametrize("scale", [0.1, 0.001, 10.0, 100.0, 1000.0])
def test_no_scale_that_hearts_do_not_have_passes_in_silence(
    right: NDArray[np.float64], scale: float
) -> None:
    text = table(right * scale, decimals=6)
    if scale in (0.1, 10.0):
        assert "hearts give" in " ".join(doubt.sentence for doubt in read(text).doubts)
    else:
        assert "hearts give" in refusal(text)


@pytest.mark.parametrize(("height", "refused"), [(6.0, False), (40.0, False), (900.0, True)])
def test_a_single_absurd_sample_is_named(
    right: NDArray[np.float64], height: float, refused: bool
) -> None:
    made = right.copy()
    made[LEAD_INDEX["V4"], 2345] += height
    text = table(made)
    said = refusal(text) if refused else " ".join(d.sentence for d in read(text).doubts)
    assert "V4 has a sample" in said
    assert "at 4.69 s" in said


# 06: a lead upside down by its name


@pytest.mark.parametrize(
    "name", ["-aVR", "\u2212aVR", "Lead -aVR", "(-)aVR", "MDC_ECG_LEAD_AVRneg", "aVR (inverted)"]
)
def test_a_negated_lead_is_turned_over(right: NDArray[np.float64], name: str) -> None:
    made = changed(right, aVR=-1.0)
    names = [name if lead == "aVR" else lead for lead in LEADS]
    text = table(made, names)
    if "inverted" in name:  # what stands in brackets is a unit
        assert "unknown unit" in refusal(text)
        return
    ecg = read(text)
    np.testing.assert_allclose(ecg.signal, right, atol=1e-6)
    assert ecg.doubts == ()


# 07, 10: how tables write numbers


@pytest.mark.parametrize("mark", [",", ".", "'", "\u00a0"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_thousands_are_no_decimals(right: NDArray[np.float64], mark: str, delimiter: str) -> None:
    counts = np.rint(right * 1000).astype(int)
    rows = [delimiter.join(f"{v:,}".replace(",", mark) for v in row) for row in counts.T]
    text = "\n".join([delimiter.join(LEADS), *rows])
    ecg = read(text, ReadOptions(fs=FS, unit="uV"))
    np.testing.assert_allclose(ecg.signal, counts / 1000, atol=1e-6)


def test_thousands_in_quotes_are_no_columns(right: NDArray[np.float64]) -> None:
    counts = np.rint(right * 1000).astype(int)
    rows = [",".join(f'"{v:,}"' if abs(v) > 999 else str(v) for v in row) for row in counts.T]
    ecg = read("\n".join([",".join(LEADS), *rows]), ReadOptions(fs=FS, unit="uV"))
    np.testing.assert_allclose(ecg.signal, counts / 1000, atol=1e-6)


def test_a_mark_that_may_be_either_is_refused(right: NDArray[np.float64]) -> None:
    raised = np.abs(np.rint(right * 1000)).astype(int) + 2000  # none below a thousand
    rows = [";".join(f"{v:,}" for v in row) for row in raised.T]
    assert "may be one thousand" in refusal("\n".join([";".join(LEADS), *rows]))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("with_index", [False, True])
def test_column_and_row_numbers_are_no_samples(
    right: NDArray[np.float64], first: int, with_index: bool
) -> None:
    titles = [str(first + k) for k in range(12)]
    rows = [",".join(f"{value:.4f}" for value in row) for row in right.T]
    if with_index:
        titles, rows = ["", *titles], [f"{k},{row}" for k, row in enumerate(rows)]
    ecg = read("\n".join([",".join(titles), *rows]))
    np.testing.assert_allclose(ecg.signal, right, atol=1e-6)


# 08, 16: what a file says twice


@pytest.mark.parametrize("title", ["time (s)", "time_s", "time", "Time [ms]"])
def test_rate_and_time_column_must_agree(right: NDArray[np.float64], title: str) -> None:
    step = 2.0 if "ms" in title else 0.002
    rows = [
        f"{k * step:.3f}," + ",".join(f"{value:.4f}" for value in row)
        for k, row in enumerate(right.T)
    ]
    body = "\n".join([f"{title},{','.join(LEADS)}", *rows])
    assert read(f"# fs: 500\n# unit: mV\n{body}", ReadOptions()).fs == FS
    assert "time column" in refusal(f"# fs: 250\n# unit: mV\n{body}", ReadOptions())


def test_unit_of_the_option_and_of_a_title_must_agree_with_the_file(
    right: NDArray[np.float64],
) -> None:
    text = table(right)
    said = refusal(f"# unit: mV\n{text}", ReadOptions(fs=FS, unit="uV"))
    assert "the option unit says uV" in said
    titled = text.replace("V6\n", "V6 (uV)\n", 1)
    assert "another in a title" in refusal(f"# unit: mV\n{titled}")


# 13, 19, 20: which samples of a file are the ECG


def test_the_longest_matrix_with_all_leads_is_the_ecg(right: NDArray[np.float64]) -> None:
    from scipy.io import savemat

    def matlab(**matrices: object) -> bytes:
        stream = io.BytesIO()
        savemat(stream, {**matrices, "fs": FS, "unit": "mV"})
        return stream.getvalue()

    beat = right[:, :600]
    ecg = read(matlab(ecg=beat, rhythm=right), ReadOptions(), "a.mat")
    np.testing.assert_allclose(ecg.signal, right, atol=1e-6)
    said = refusal(matlab(raw=right, smooth=right * 0.9), ReadOptions(), "a.mat")
    assert "raw, smooth are equally long" in said
    archive = io.BytesIO()
    np.savez(archive, data=beat, rhythm=right, fs=FS, unit="mV")
    assert read(archive.getvalue(), ReadOptions(), "a.npz").seconds == 10


# 17: tables that are no 12-lead ECG


def test_each_kind_of_table_has_its_own_sentence_and_quotes_nothing(
    right: NDArray[np.float64],
) -> None:
    title = 'Name,Zaphod Beeblebrox\nDate of Birth,"Jan 1, 1950"\nLead,Lead I\n\n'
    one = title + "\n".join(f"{value:.3f}" for value in right[0])
    limb = table(right[:6], LEADS[:6])
    empty = "\n".join(
        [",".join(LEADS), *(",".join(f"{v:.3f}" for v in row) + "," * 6 for row in right[:6].T)]
    )
    turned = "\n".join(",".join(f"{v:.3f}" for v in row) for row in right)
    named = "\n".join(
        f"{lead}," + ",".join(f"{v:.3f}" for v in row)
        for lead, row in zip(LEADS, right, strict=True)
    )
    words = title + "nothing,but\nwords,here\n"
    broken = table(right).replace("\n0", "\nZaphod,0", 1)
    for text, sentence in (
        (one, "one lead; 12 are needed"),
        (limb, "missing V1, V2, V3, V4, V5, V6"),
        (empty, "missing V1, V2, V3, V4, V5, V6"),
        (turned, "the rows seem to be leads"),
        (named, "the rows are leads"),
        (words, "no known format"),
        (broken, "column"),
    ):
        said = refusal(text)
        assert sentence in said
        assert "Zaphod" not in said
        assert "1950" not in said


# What people see


def test_inspect_shows_every_check(
    right: NDArray[np.float64], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = changed(right, aVL=0.5, V2=0.05).astype(np.float32)
    path = write_csv(ECG(made, FS), tmp_path, "doubtful")
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    checks = text[text.index("Checks of the recording") : text.index("Leads (mV)")]
    lines = [" ".join(line.split()) for line in checks.splitlines()]
    assert any(line.startswith("limb leads aVL contradicts") for line in lines)
    assert any(line.startswith("chest leads V2 is 1/") for line in lines)
    assert "recorded together nothing found" in lines
