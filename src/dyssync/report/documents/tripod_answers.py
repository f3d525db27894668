"""What a run can say to the items of TRIPOD+AI, with the place where the rest stands."""

from __future__ import annotations

from collections.abc import Mapping

from dyssync.evaluation.patient_groups import CENTRE_COLUMNS
from dyssync.report.documents.methods import fitting, grading
from dyssync.report.overview import Overview
from dyssync.report.sections import SECTIONS
from dyssync.report.wording import count, listing, percent

AUTHORS = "To be written by the authors: "


def answers(study: Overview) -> Mapping[str, str]:
    """Return the answers by item; an item that a run cannot know is absent."""
    return {**_of_data(study), **_of_methods(study), **_of_openness(study), **_of_results(study)}


def _of_data(study: Overview) -> dict[str, str]:
    cohort, run = study.cohort, study.results.run
    kind = "Simulated patients" if run.simulated else "Patients"
    source = f"{kind} of {run.cohort}, fingerprint {run.fingerprint}"
    return {
        "4": "Development with internal validation. " + AUTHORS + "the objectives.",
        "5a": source + (". Nothing here is evidence about real patients." if run.simulated
                        else ". " + AUTHORS + "source and representativeness."),
        "7": f"Signals are read, checked and prepared by rule, for all alike; "
             f"{count(cohort.excluded, 'recording')} left out with reasons ({_place('cohort')}). "
             f"Recorder and rate: {cohort.recording or 'not known'}.",
        "8a": "Column responder of the table, or a fall of LVESV of 15 % or more. " + AUTHORS
              + "when the echo was made, and by whom.",
        "9a": "Fixed before any result: the ECG, its measurements and the clinical facts that each "
              f"model names ({_place('features')}).",
        "9b": "docs/measurements.md of the software; clinical facts as in the cohort table. "
              + AUTHORS + "how and when these were measured.",
        "10": f"As many as there were: {count(cohort.patients, 'patient')}. What they suffice for: "
              f"{_place('sample_size')}.",
        "11": "A fact that is not known enters as not known or as the training median, never as "
              "zero; with too few facts the models of the ECG alone answer. Who has no outcome "
              f"takes no part ({_place('cohort')}).",
    }  # fmt: skip


def _of_methods(study: Overview) -> dict[str, str]:
    return {
        "12a": f"{fitting(study)} Parts: {_place('cohort')}.",
        "12b": "As each model does; all parameters in " + _place("reproduce") + ".",
        "12c": f"{listing(list(study.models)) or 'None'}: settings fixed beforehand, no tuning on "
               "these patients by the software. " + AUTHORS + "whether anybody tried others.",
        "12d": _centres(study),
        "12e": grading(study),
        "12f": "Logistic recalibration, learnt out of fold and part of the model; no further "
               "updating.",
        "12g": "`dyssync predict` with the bundle of the run; its files are named by sha256.",
        "13": "Whatever a model does about it in fitting, its answers are recalibrated to the "
              "share of responders afterwards.",
        "14": "Performance in subgroups is shown, nothing is done about differences "
              f"({_place('subgroups')}).",
        "15": f"A probability. Threshold {study.threshold:g}, named before any result; or no "
              f"answer, by conformal sets ({_place('deferral')}).",
        "16": "The same cohort, divided by patient; no other.",
    }  # fmt: skip


def _centres(study: Overview) -> str:
    there = [name for name in CENTRE_COLUMNS if name in study.results.tables["cohort"]]
    if there:
        return f"By centre, in {_place('subgroups')}."
    return "Not examined: the cohort table names no centre."


def _of_openness(study: Overview) -> dict[str, str]:
    run = study.results.run
    return {
        "18f": f"dyssync {run.version}, open source; command, versions: {_place('reproduce')}.",
    }


def _of_results(study: Overview) -> dict[str, str]:
    cohort = study.cohort
    found = {
        "20a": f"{_place('cohort')}: {count(cohort.read, 'recording')} read, "
               f"{cohort.excluded:,} left out, {count(cohort.patients, 'patient')} used. "
               + AUTHORS + "follow-up time.",
        "20b": f"Table 1 in {_place('cohort')}.",
        "20c": "There is no other cohort.",
        "21": f"{count(cohort.patients, 'patient')}, {count(cohort.responders, 'responder')} "
              f"({percent(cohort.share)}); by part in {_place('cohort')}.",
        "22": "The bundle of the run: all fits with their scale, recalibration and conformal "
              "reference; model_card.md.",
        "23a": f"{_place('answers')}, {_place('roc')}, {_place('calibration')}, "
               f"{_place('decision')}, {_place('subgroups')}; estimates.csv.",
        "23b": _centres(study),
        "24": "Not done.",
        "25": f"{_place('short')} holds what is shown and what is not. " + AUTHORS
              + "its meaning beside other studies.",
        "26": "Cautions of the run: " + (" ".join(study.results.cautions) or "none.") + " One "
              "cohort, no external validation. " + AUTHORS + "others.",
        "27a": "A file that cannot be read is refused with its reason; without a heartbeat, or "
               "with nothing known, the base rate is given and said to be it.",
        "27b": "One file and, where known, clinical facts. The answer is for cardiologists, for "
               "research only.",
    }  # fmt: skip
    return found


def _place(section: str) -> str:
    """Return where a section stands in the report."""
    return f"“{SECTIONS[section].title}”"
