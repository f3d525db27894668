"""The card of the bundle: what it is, for what, learnt from whom, how good, and its limits.

References:
    Mitchell M et al. FAT* 2019, doi 10.1145/3287560.3287596.
"""

from __future__ import annotations

from dyssync.report.overview import Overview
from dyssync.report.sections import SECTIONS
from dyssync.report.wording import count, listing, metric, percent

MEASURES = (
    "auroc", "accuracy", "accuracy_gain", "brier", "observed_to_expected", "calibration_slope",
)  # fmt: skip
LIMITS = (
    "One cohort, no other hospital: whether it holds elsewhere is not known.",
    "The probabilities fit the share of responders of this cohort, and are off where another "
    "share responds.",
    "An interval tells the chance of sampling these patients. It does not cover what differs "
    "between hospitals, recorders or definitions of response.",
    "What a model uses is not a cause of response.",
)


def model_card(study: Overview) -> str:
    """Return the card as Markdown."""
    parts = (
        "# Model card",
        "## What it is\n\n" + _what(study),
        "## Intended use\n\nResearch only: to compare models of response to cardiac "
        "resynchronization therapy on a cohort, and to validate them in another. Not a medical "
        "device. Not for decisions about a patient.",
        "## Learnt from\n\n" + _learnt_from(study),
        "## Performance\n\n" + _performance(study),
        "## In short\n\n" + _bullets(SECTIONS["short"].gather(study)),
        "## Limits\n\n" + _bullets(LIMITS),
        "## Cautions of this run\n\n" + (_bullets(study.results.cautions) or "None was raised."),
    )
    return "\n\n".join(parts) + "\n"


def _what(study: Overview) -> str:
    run = study.results.run
    return (
        f"A bundle of dyssync {run.version} with {count(len(study.models), 'model')} "
        f"({listing(list(study.models)) or 'none'}), each of {count(study.n_fits, 'fit')}. In: one "
        f"12-lead ECG{' as a picture' if run.pictures else ''} before implantation, with clinical "
        "facts where a model uses them. Out: a probability of response with its context, or no "
        f"answer. Data fingerprint {run.fingerprint}."
    )


def _learnt_from(study: Overview) -> str:
    cohort, run = study.cohort, study.results.run
    kind = "simulated patient" if run.simulated else "patient"
    text = f"{count(cohort.patients, kind)}, {percent(cohort.share)} of them responders."
    if run.simulated:
        text += " No outcome in this bundle is that of a real patient."
    for name, origin in run.encoders.items():
        text += f" The encoder of {name}: {origin}."
    if run.shuffle_labels:
        text += " Labels were shuffled: it is a negative control and knows nothing."
    return text + f" Who they are: report.html, {SECTIONS['cohort'].title}."


def _performance(study: Overview) -> str:
    heads = " | ".join(metric(name).head for name in MEASURES)
    lines = [f"| model | {heads} |", "|---" * (len(MEASURES) + 1) + "|"]
    for model in study.models:
        cells = []
        for name in MEASURES:
            found, shown = study.estimate(model, name), metric(name)
            interval = f" {shown.interval(found)}" if found.has_interval else ""
            cells.append(shown.number(found.value) + interval)
        lines.append(f"| {in_cell(model)} | {' | '.join(cells)} |")
    return (
        f"Out-of-fold answers at the threshold {study.threshold:g}, 95 % intervals; the floor, one "
        f"answer for all, is right in {percent(study.floor)}.\n\n" + "\n".join(lines)
    )


def in_cell(text: str) -> str:
    """Return a text that cannot end its cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)
