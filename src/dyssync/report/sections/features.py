"""What the measuring models used: the measurements that moved their predictions most."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dyssync.cohort.clinical import CLINICAL
from dyssync.measurements import DEFINITIONS
from dyssync.report.overview import Overview
from dyssync.report.section import Section, template_beside

TOP_FEATURES = 5
OTHER_FACTS = {"age": "age, years", "sex": "sex, 1 woman, 0 man"}  # fields of the ECG itself
# what `combined` puts together (models.combined.INPUTS)
ANSWERS = {
    "picture": "the answer of the image model, which sees a picture of the ECG",
    "measurements": "the answer of the model that sees the ECG's measurements",
    "qrs-area": "the answer by QRS area alone",
}
CLEAR_DIRECTION = 0.5  # rank correlation; below, small and large values work the same way


@dataclass(frozen=True)
class FeatureRow:
    """One of the features that moved a model's predictions most.

    Attributes:
        model: name.
        feature: name, unit inside.
        meaning: how it is defined; "" for samples of the beat.
        size: mean size of its contribution over test patients and seeds, log-odds.
        direction: which way larger values work.
    """

    model: str
    feature: str
    meaning: str
    size: str
    direction: str


def gather(study: Overview) -> tuple[FeatureRow, ...]:
    """Return the most important features of every model that explains itself."""
    table = study.results.explanations["importances"]
    meanings = known_meanings()
    rows = []
    for _, own in table.groupby("model", sort=False):
        used = own[own["mean_abs_log_odds"] > 0].head(TOP_FEATURES)
        rows += [
            FeatureRow(
                model=str(row["model"]),
                feature=str(row["feature"]),
                meaning=meanings.get(str(row["feature"]), ""),
                size=f"{float(row['mean_abs_log_odds']):.2f}",
                direction=_direction(float(row["direction"])),
            )
            for row in used.to_dict("records")
        ]
    return tuple(rows)


def known_meanings() -> dict[str, str]:
    """Return what each feature is, by its name: measurements, facts of the patient, answers."""
    of_facts = {name: column.meaning for name, column in CLINICAL.items()}
    return {d.name: d.meaning for d in DEFINITIONS} | of_facts | OTHER_FACTS | ANSWERS


def _direction(correlation: float) -> str:
    """Word the rank correlation of value and contribution."""
    if not math.isfinite(correlation) or abs(correlation) < CLEAR_DIRECTION:
        return "mixed"
    return "larger: likelier" if correlation > 0 else "larger: less likely"


SECTION = Section("What the measuring models used", template_beside(__file__), gather)
