"""Not known is not no: whatever is missing, an answer may become "not known" but never turns."""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dyssync.cli import main
from dyssync.ecg import ECG, LEAD_INDEX, LEADS
from dyssync.measurements import DEFINITIONS, measure
from dyssync.measurements.answers import NO, UNKNOWN, YES, Answer, at_least_so_many, not_known
from dyssync.measurements.candidates import Candidate, Recommendation
from dyssync.measurements.guidelines import esc_2021, hrs_2023
from dyssync.measurements.heartbeat import Heartbeat, heartbeat
from dyssync.measurements.measurement import GROUPS
from dyssync.models.rules import GuidelineESC2021, StrictLBBB
from dyssync.simulation.cohort import patient_rng
from dyssync.simulation.patient import simulate_patient
from dyssync.simulation.population import draw_patient

FS = 500.0
ANSWERS = (YES, NO, not_known("V6 unusable"))
YES_OR_NO = {d.name for d in DEFINITIONS if d.unit == "0/1"}


def hearts(n: int) -> list[ECG]:
    """Return virtual patients of both populations: all conduction, AF, pacing."""
    found = []
    for k in range(n):
        rng = patient_rng(5, k)
        patient = simulate_patient(draw_patient(rng, "archive" if k % 2 else "crt"), rng)
        found.append(ECG(patient.signal, FS, sex="F" if k % 3 else "M", age=60.0))
    return found


def possible(answer: Answer) -> set[bool]:
    return {True, False} if answer.value is None else {answer.value}


def answers_of(beat: Heartbeat) -> dict[str, Answer]:
    found = {name: x for group in GROUPS for name, x in group.measure(beat).items()}
    return {name: x for name, x in found.items() if isinstance(x, Answer)}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(ANSWERS, ANSWERS)))
def test_logic_says_yes_or_no_only_where_the_unknown_does_not_matter(a: Answer, b: Answer) -> None:
    every = list(itertools.product(possible(a), possible(b)))
    for found, each in (
        (a & b, {x and y for x, y in every}),
        (a | b, {x or y for x, y in every}),
        (~a, {not x for x, _ in every}),
        (at_least_so_many((a, b, YES), 2), {x + y + 1 >= 2 for x, y in every}),
    ):
        assert possible(found) == each
        assert found.reasons == (("V6 unusable",) if len(each) == 2 else ())


def test_an_answer_cannot_pass_for_a_truth_value() -> None:
    with pytest.raises(TypeError, match="not known"):
        bool(NO)


def test_every_yes_or_no_is_an_answer_and_its_number_says_the_same() -> None:
    assert answers_of(heartbeat(hearts(1)[0])).keys() == YES_OR_NO
    found = measure(hearts(1)[0])
    assert found.answers.keys() == YES_OR_NO
    for name, answer in found.answers.items():
        np.testing.assert_equal(found[name], answer.number)


def test_no_answer_turns_when_leads_or_the_sex_are_lost() -> None:
    rng = np.random.default_rng(0)
    for beat in map(heartbeat, hearts(24)):
        lost = {LEADS[k]: "lost" for k in rng.choice(len(LEADS), rng.integers(1, 5), False)}
        whole = answers_of(beat)
        for other in (replace(beat, lost=lost), replace(beat, sex=None)):
            found = answers_of(other)
            turned = [x for x in whole if found[x].value not in (None, whole[x].value)]
            assert not turned


CONDUCTION = ("lbbb_esc", "lbbb_aha", "lbbb_strauss", "rbbb", "ivcd", "lafb", "lpfb", "paced")


def test_no_statement_on_conduction_turns_when_the_recording_itself_lacks_leads() -> None:
    """Marks and typical beat come from what is left, so they move a little, too."""
    rng = np.random.default_rng(1)
    for ecg in hearts(24):
        flat = ecg.signal.copy()
        flat[rng.choice(len(LEADS), rng.integers(1, 4), False)] = 0.0
        whole, found = (measure(e).answers for e in (ecg, replace(ecg, signal=flat)))
        assert not [x for x in CONDUCTION if found[x].value not in (None, whole[x].value)]


def test_without_v6_lbbb_is_not_known_and_with_a_narrow_qrs_it_is_absent() -> None:
    seen = {"blocked": 0, "narrow": 0}
    for ecg in hearts(24):
        whole, flat = measure(ecg), ecg.signal.copy()
        flat[LEAD_INDEX["V6"]] = 0.0
        found = measure(replace(ecg, signal=flat)).answers["lbbb_esc"]
        if whole.answers["lbbb_esc"].value:
            assert found.value is None
            assert any("V6" in reason for reason in found.reasons)
            seen["blocked"] += 1
        elif whole["qrs_duration_ms"] < 95:
            assert found == NO
            seen["narrow"] += 1
    assert all(seen.values()), "a case was never met"


FACTS = {
    "lbbb": (True, False),
    "sinus_rhythm": (True, False),
    "paced": (True, False),
    "nyha": (2, 3, 4),
    "sex": ("F", "M"),
}


@pytest.mark.parametrize("qrs_ms", [110.0, 125.0, 140.0, 160.0, float("nan")])
@pytest.mark.parametrize("rule", [esc_2021, hrs_2023])
def test_no_class_turns_when_facts_are_missing(
    rule: Callable[[Candidate], Recommendation], qrs_ms: float
) -> None:
    for values in itertools.product(*FACTS.values()):
        facts = dict(zip(FACTS, values, strict=True))
        whole = rule(Candidate(qrs_ms, lvef=25.0, **facts))
        for size in (1, 2, 5):
            for missing in itertools.combinations(FACTS, size):
                found = rule(Candidate(qrs_ms, lvef=25.0, **facts | dict.fromkeys(missing)))
                assert found.name == whole.name or not found.known
                assert found.known or np.isnan(found.rank)


def test_a_class_that_is_not_known_names_what_decides() -> None:
    found = hrs_2023(Candidate(160.0, None, True, nyha=3, why={"lbbb": "V6 unusable"}))
    assert found.reason == "not known: LBBB (V6 unusable) decides between I, IIa"
    assert esc_2021(Candidate(120.0, None, None)).name == "III"  # LBBB and rhythm do not matter


def test_inspect_and_rules_say_not_known_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = next(e for e in hearts(24) if measure(e).answers["lbbb_esc"].value)
    signal = blocked.signal.copy()
    signal[[LEAD_INDEX["V2"], LEAD_INDEX["V6"]]] = 0.0
    ecg = replace(blocked, signal=signal)
    assert re.search(r"LBBB \(.*V6.*\) decides", GuidelineESC2021().statement(ecg))
    assert re.match(r"strict LBBB not known \(.*V2", StrictLBBB().statement(ecg))
    from dyssync.formats.wfdb import write_wfdb

    write_wfdb(ecg, tmp_path, "lost")
    assert main(["inspect", str(tmp_path / "lost.hea")]) == 0
    text = capsys.readouterr().out
    assert re.search(r"LBBB not known \(.*V6", text)
    assert "no block" not in text


def test_without_a_beat_nothing_is_known() -> None:
    silent = ECG(np.random.default_rng(3).normal(0.0, 0.02, (12, 5000)).astype(np.float32), FS)
    assert {answer.value for answer in measure(silent).answers.values()} == {UNKNOWN.value}


def test_waves_without_a_rest_between_them_have_a_rate_and_nothing_else() -> None:
    t = np.arange(5000) / FS
    cycle = 3.0 * t % 1.0  # 180/min: up in 100 ms, down in the rest, as of ventricular tachycardia
    saw = np.where(cycle < 0.3, cycle / 0.3, (1.0 - cycle) / 0.7) - 0.5
    wave = np.convolve(saw, np.hanning(21) / np.hanning(21).sum(), mode="same")
    sizes = np.linspace(-1.0, 1.4, 10)[:, None]
    chest = sizes[2:8] * wave
    one, two = 0.8 * wave, 1.1 * wave
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    signal = np.array([*limb, *chest]) + np.random.default_rng(1).normal(0, 0.01, (12, 5000))
    found = measure(ECG(signal.astype(np.float32), FS))
    assert found["heart_rate_bpm"] == pytest.approx(180, abs=5)
    known = {name for name, value in found.as_dict().items() if np.isfinite(value)}
    assert known == {"heart_rate_bpm"}
    assert any("cannot be told apart" in caution for caution in found.cautions)
